"""Smaller copies of a picture, decoded in a process of its own with little memory.

The worker stays as it is whatever the picture does: its memory does not grow and a crash of the
decoder is an answer. A start costs 0.15 s, which a background task has. Weighed: a limit of the
worker's own (`worker_max_memory_per_child`) acts after a task, when the machine is out of memory;
libvips (pyvips) needs less memory and a library of the system.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import structlog

from core.images.errors import ImageRefusedError

logger = structlog.get_logger("core.images")

DECODER = Path(__file__).with_name("decoder.py")
TIMEOUT = 40  # seconds of a clock; above the decoder's 20 of CPU on a busy machine
_REFUSED = 65
# How a service manager ends all processes of a worker that is told to stop.
_STOPPED = {-signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP}


@dataclass(frozen=True, slots=True)
class Rendition:
    """A WebP picture without metadata; sizes in pixels."""

    width: int
    height: int
    data: bytes


def render(picture: bytes, *sizes: int) -> list[Rendition]:
    """Copies of `picture` whose longer side has at most each of `sizes` pixels, upright.

    Raises `ImageRefusedError`; `InterruptedError` when the decoder was stopped with its worker,
    which says nothing of the picture: try again.
    """
    try:
        done = subprocess.run(  # noqa: S603 - our own program, numbers as arguments
            [sys.executable, "-I", "-B", str(DECODER), *map(str, sizes)],
            input=picture,
            capture_output=True,
            env={},
            cwd="/",
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ImageRefusedError("too_expensive") from None
    if done.returncode in _STOPPED:
        raise InterruptedError("the decoder was stopped")
    if done.returncode == _REFUSED:
        raise ImageRefusedError(done.stdout.decode())
    if done.returncode:
        # 1 is an exception that the decoder did not foresee; else a limit or a crash ended it.
        words = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        logger.warning("decoder failed", code=done.returncode, reason="".join(words)[:200])
        raise ImageRefusedError("damaged" if done.returncode == 1 else "too_expensive")
    line, _, body = done.stdout.partition(b"\n")
    renditions = []
    for each in json.loads(line):
        data, body = body[: each["bytes"]], body[each["bytes"] :]
        renditions.append(Rendition(each["width"], each["height"], data))
    return renditions
