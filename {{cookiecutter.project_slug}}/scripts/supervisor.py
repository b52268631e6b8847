"""Several programs under one terminal: all run, or none does.

Weighed: honcho 2.0 knows no order and no readiness, and a SIGKILL leaves its grandchildren behind.
Here each program has a session of its own and the guardian watches them (scripts/servers), one
that ends takes the others with it, and the servers below them stop last.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from types import FrameType

from scripts.servers import Process, Server, ServerError, guardian

_TICK = 0.1  # seconds between two looks at the programs
# Seconds that the first program has the machine to itself once all is prepared, so that its page
# comes sooner; then, or once it answers, the others start.
_HEAD_START = 3.0
_COLOURS = cycle((36, 33, 35, 32, 34))  # cyan, yellow, magenta, green, blue


class Terminal:
    """The one writer of stdout. A terminal that went away ends the run instead of every thread."""

    def __init__(self) -> None:
        self.gone = False
        self._colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._lock = threading.Lock()

    def say(self, sentence: str) -> None:
        """A line of our own."""
        self.write(f"\033[1m{sentence}\033[0m\n" if self._colour else sentence + "\n")

    def prefix(self, name: str, width: int) -> str:
        label = f"{name:<{width}} | "
        return f"\033[{next(_COLOURS)}m{label}\033[0m" if self._colour else label

    def write(self, text: str) -> None:
        with self._lock:
            try:
                if not self.gone:
                    sys.stdout.write(text)
                    sys.stdout.flush()
            except OSError:  # closed pipe, hung-up terminal
                self.gone = True


class Supervisor:
    """Runs `programs`, the one with the page first, above `servers`, which are started already."""

    def __init__(
        self, terminal: Terminal, programs: Sequence[Process], servers: Sequence[Server]
    ) -> None:
        self._terminal = terminal
        self._programs = programs
        self._servers = servers
        self._asked: str | None = None
        self._running: list[Process] = []
        self._readers: list[threading.Thread] = []

    def run(
        self,
        *,
        prepare: Callable[[], None],
        is_ready: Callable[[], bool],
        announce: Callable[[], None],
    ) -> int:
        """Until one ends or we are told to stop. 0 when told, else 1.

        `prepare` runs while the first program starts, before the others; `announce` once when
        `is_ready`. A `ServerError` of `prepare` or of a start is printed.
        """
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask)
        parent, announced, reason = os.getppid(), False, None
        waiting = list(self._programs)
        try:
            self._start(waiting.pop(0))
            prepare()
            others_start = time.monotonic() + _HEAD_START
            while not self._asked and not reason:
                time.sleep(_TICK)
                reason = self._dead()
                if self._terminal.gone:
                    self._asked = "The terminal is gone"
                elif "MAKELEVEL" in os.environ and os.getppid() != parent:
                    self._asked = "make is gone"
                elif not announced and not reason and is_ready():
                    announced = True
                    announce()
                while waiting and (announced or time.monotonic() > others_start):
                    self._start(waiting.pop(0))
        except ServerError as error:
            if not self._asked:  # else the terminal's Ctrl-C ended a step of `prepare`, too
                reason = "Not everything could be started"
                print(error, file=sys.stderr)
        finally:
            self._terminal.say(f"{reason or self._asked or 'Error'}: stopping everything.")
            self._stop()
        return 1 if reason else 0

    def _start(self, program: Process) -> None:
        program.start()
        self._running.append(program)
        prefix = self._terminal.prefix(program.name, max(len(p.name) for p in self._programs))
        reader = threading.Thread(target=self._print, args=(program, prefix), daemon=True)
        reader.start()
        self._readers.append(reader)

    def _ask(self, number: int, _: FrameType | None) -> None:
        if self._asked:  # asked twice: whoever sits there is in a hurry
            for program in self._running:
                if program.running:
                    guardian.send(guardian.tree(program.pid), signal.SIGKILL)
        self._asked = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name

    def _dead(self) -> str | None:
        for program in self._running:
            if (code := program.returncode) is not None:
                return f"{program.name} ended {_how(code)}"
        for server in self._servers:
            if (code := server.process.returncode) is not None:
                return f"{server.name} ended {_how(code)}, see {server.log}"
        return None

    def _stop(self) -> None:
        # Together: each may need seconds to finish what it does. The servers are still there.
        with ThreadPoolExecutor() as executor:
            list(executor.map(Process.stop, self._running))
        for reader in self._readers:
            reader.join(2)

    def _print(self, program: Process, prefix: str) -> None:
        for line in program.stdout:
            self._terminal.write(prefix + line.decode(errors="replace"))


def _how(code: int) -> str:
    return f"with exit code {code}" if code >= 0 else f"by {signal.Signals(-code).name}"
