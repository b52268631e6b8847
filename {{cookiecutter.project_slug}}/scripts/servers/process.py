"""A program in the foreground: started, awaited, frozen, stopped; never left behind."""

from __future__ import annotations

import atexit
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from scripts.servers import guardian
from scripts.servers.identity import Identity

_POLL = 0.01  # seconds between two looks at a server that is starting


class ServerError(RuntimeError):
    """A server cannot do what was asked; the message is one sentence for the person at the keys."""


class _Guard:
    """Our end of the guardian's pipe. Started with the first process, replaced if it was killed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: dict[int, str] = {}
        self._process: subprocess.Popen[str] | None = None

    def watch(self, pid: int, number: int, grace: float) -> None:
        with self._lock:
            self._watched[pid] = f"watch {pid} {int(number)} {grace}\n"
            self._tell(self._watched[pid])

    def forget(self, pid: int) -> None:
        with self._lock:
            if self._watched.pop(pid, None):
                self._tell(f"forget {pid}\n")

    def _tell(self, line: str) -> None:
        if self._process is None:
            atexit.register(self._close)
        elif self._process.poll() is None:
            with suppress(BrokenPipeError):
                self._write(line)
                return
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", guardian.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd="/",
            start_new_session=True,  # a Ctrl-C in the terminal must not reach it
        )
        self._write("".join(self._watched.values()))

    def _write(self, text: str) -> None:
        pipe = self._process.stdin if self._process else None
        if pipe is not None:
            pipe.write(text)
            pipe.flush()

    def _close(self) -> None:
        if self._process:
            with suppress(BrokenPipeError):
                self._process.communicate()


_guard = _Guard()


class Process:
    """One program and everything it forks, in a session of its own.

    `output` is a log file to append to, or `subprocess.PIPE`. `stop_signal` asks the program to
    end; what is left of its tree after `stop_timeout` seconds is killed.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        output: Path | int,
        env: Mapping[str, str] | None = None,
        cwd: Path | str = "/",
        identity: Identity | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        stop_timeout: float = 10.0,
    ) -> None:
        self.name = name
        self.output = output
        self._identity = identity or Identity()
        self._command = [*self._identity.prefix, *map(str, command)]
        self._env = env
        self._cwd = cwd
        self._stop_signal = stop_signal
        self._stop_timeout = stop_timeout
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        return self._started().pid

    @property
    def returncode(self) -> int | None:
        """Its exit code, minus the number of the signal that ended it; None while it runs."""
        return self._started().poll()

    @property
    def running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    @property
    def stdout(self) -> IO[bytes]:
        """What it prints, when `output` is a pipe."""
        stream = self._started().stdout
        if stream is None:
            raise ServerError(f"{self.name} writes to {self.output}.")
        return stream

    def start(self) -> None:
        """Start it. Raises `ServerError` when the program cannot be executed."""
        with self._destination() as stdout:
            try:
                self._popen = subprocess.Popen(
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=subprocess.STDOUT,
                    env=self._env,
                    cwd=self._cwd,
                    start_new_session=True,
                    **self._identity.popen,
                )
            except OSError as error:
                raise ServerError(f"{self.name} cannot be started: {error}.") from error
        # The guardian is in a hurry: five seconds are enough for a clean end without a reader.
        _guard.watch(self._popen.pid, self._stop_signal, min(self._stop_timeout, 5.0))

    def wait_until(self, is_ready: Callable[[], bool], seconds: float) -> None:
        """Wait for `is_ready`. Raises `ServerError` with the end of the log when it will not be."""
        deadline = time.monotonic() + seconds
        while not is_ready():
            if not self.running:
                raise ServerError(f"{self.name} stopped while starting{self._last_words()}")
            if time.monotonic() > deadline:
                raise ServerError(
                    f"{self.name} was not ready after {seconds:g} s{self._last_words()}"
                )
            time.sleep(_POLL)

    def stop(self) -> int | None:
        """End it and all it forked, servers politely. Returns the exit code; safe to repeat."""
        if self._popen is None:
            return None
        guardian.end(self._popen.pid, self._stop_signal, self._stop_timeout)
        return self._reap()

    def kill(self) -> None:
        """SIGKILL to the whole tree at once, as a machine that loses power."""
        members = guardian.tree(self.pid)
        guardian.send(members, signal.SIGKILL)
        guardian.gone(members, 10.0)
        self._reap()

    def freeze(self) -> None:
        """SIGSTOP to the whole tree: connections stay open and nothing answers."""
        frozen: list[guardian.Entry] = []
        # A parent that was not stopped yet may have forked since the first look.
        while new := [entry for entry in guardian.tree(self.pid) if entry not in frozen]:
            guardian.send(new, signal.SIGSTOP)
            frozen += new

    def thaw(self) -> None:
        """SIGCONT to the whole tree."""
        guardian.send(guardian.tree(self.pid), signal.SIGCONT)

    def _reap(self) -> int:
        popen = self._started()
        code = popen.wait()
        _guard.forget(popen.pid)
        return code

    def _started(self) -> subprocess.Popen[bytes]:
        if self._popen is None:
            raise ServerError(f"{self.name} was not started.")
        return self._popen

    def _destination(self) -> _Destination:
        return _Destination(self.output)

    def _last_words(self) -> str:
        if isinstance(self.output, int):
            return "."
        lines = self.output.read_text(errors="replace").splitlines()[-5:]
        return f"; the end of {self.output}:\n" + "\n".join(f"    {line}" for line in lines)


class _Destination:
    """A log file that is closed here once the program has it, or a number for `Popen`."""

    def __init__(self, output: Path | int) -> None:
        self._output = output
        self._file: IO[bytes] | None = None

    def __enter__(self) -> IO[bytes] | int:
        if isinstance(self._output, int):
            return self._output
        self._file = self._output.open("ab")
        return self._file

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()
