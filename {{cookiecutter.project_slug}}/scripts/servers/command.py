"""One command in the foreground, with the terminal, while servers run behind it."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping, Sequence


def call(command: Sequence[str], env: Mapping[str, str]) -> int:
    """Run `command` and return its exit code, 128 + n when signal n ended it.

    Ctrl-C is the command's affair: we wait for what it makes of it, then the servers are stopped.
    """
    # A function, not SIG_IGN, which the command would inherit.
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT,)}
    try:
        try:
            child = subprocess.Popen(command, env=env)
        except OSError as error:
            print(f"{command[0]}: {error.strerror}")
            return 127
        before[signal.SIGTERM] = signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        code = child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code
