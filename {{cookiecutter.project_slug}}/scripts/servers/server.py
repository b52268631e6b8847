"""What the embedded servers have in common."""

from __future__ import annotations

import secrets
import socket
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Self

from scripts.servers.process import Process, ServerError

HOST = "127.0.0.1"
START_TIMEOUT = 30.0  # seconds; a start takes 0.2 s, recovery after a crash a few


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: connections that are closing (TIME_WAIT) do not take a port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


_given: set[int] = set()


def free_port() -> int:
    """A port nobody listens on, and that this process was not told before: two servers that are
    about to start must not be given one.

    Below 32768: the kernel gives those above to outgoing connections, which would take the port of
    a server between its death and its restart.
    """
    for _ in range(1000):
        # Not `random`, which a test may seed: each would draw the ports of the one before.
        port = 20000 + secrets.randbelow(12768)
        if port not in _given and port_is_free(port):
            _given.add(port)
            return port
    raise ServerError("No free port between 20000 and 32767 on 127.0.0.1.")


class Server(ABC):
    """A server on 127.0.0.1 with a folder of its own. Starts again on the same port.

    `with` stops it; `kill`, `freeze` and `thaw` reach every process it has forked.
    """

    name: str

    def __init__(self, directory: Path, port: int | None = None) -> None:
        self.directory = directory
        self.port = port or free_port()
        self.log = directory / "server.log"
        self.notes: list[str] = []  # what a start had to put right, a sentence each
        self._process: Process | None = None

    def start(self) -> Self:
        """Start it and return when it answers. Raises `ServerError`."""
        if self.running:
            return self
        if not port_is_free(self.port):
            raise ServerError(f"{self.name} cannot start: port {self.port} is taken.")
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._process = self._prepare()
        self._process.start()
        try:
            self._process.wait_until(self._is_ready, START_TIMEOUT)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        if self._process:
            self._process.stop()

    def kill(self) -> None:
        self.process.kill()

    def freeze(self) -> None:
        self.process.freeze()

    def thaw(self) -> None:
        self.process.thaw()

    def restart(self) -> None:
        self.stop()
        self.start()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.running

    @property
    def process(self) -> Process:
        if self._process is None:
            raise ServerError(f"{self.name} was not started.")
        return self._process

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @abstractmethod
    def _prepare(self) -> Process:
        """Make what the server needs on disk and return its process, not started."""

    @abstractmethod
    def _is_ready(self) -> bool:
        """Whether it answers as a server, not only as a socket."""
