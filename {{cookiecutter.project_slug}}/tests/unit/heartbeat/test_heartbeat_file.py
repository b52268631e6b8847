"""The heartbeat file and the exec probe that reads it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from core import heartbeat

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def probe(role: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "core.heartbeat", role, "--max-age", "60"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def test_a_young_heartbeat_passes_and_an_old_one_does_not() -> None:
    heartbeat.touch("worker")
    assert probe("worker") == (0, "")

    then = time.time() - 61
    os.utime(heartbeat.path("worker"), (then, then))
    status, said = probe("worker")
    assert status == 1
    assert re.fullmatch(r"worker: heartbeat is 6\d s old, 60 s are allowed\n", said)

    heartbeat.touch("worker")
    assert probe("worker") == (0, "")


def test_a_missing_heartbeat_fails_and_one_role_does_not_vouch_for_another() -> None:
    heartbeat.touch("beat")

    assert probe("worker") == (1, "worker: heartbeat is none, 60 s are allowed\n")


def test_a_link_that_somebody_planted_is_not_followed(temporary_folder: Path) -> None:
    target = temporary_folder / "precious"
    target.touch()
    heartbeat.path("worker").symlink_to(target)

    with pytest.raises(OSError, match="symbolic link"):
        heartbeat.touch("worker")


def test_the_probe_loads_neither_django_nor_celery() -> None:
    imports = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "core.heartbeat", "worker"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    ).stderr

    assert "argparse" in imports
    assert not {"django", "celery", "structlog", "psycopg"} & set(imports.split())
