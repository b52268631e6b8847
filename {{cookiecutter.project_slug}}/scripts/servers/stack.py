"""The servers of one service together, with the variables by which the service finds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

from scripts.servers.pgbouncer import PgBouncer, find_pgbouncer
from scripts.servers.postgres import THROW_AWAY, Postgres
from scripts.servers.server import Server, free_port, port_is_free
from scripts.servers.valkey import Valkey

VARIABLES = ("DATABASE_URL", "DATABASE_DIRECT_URL", "CACHE_URL", "BROKER_URL")


class Stack:
    """PostgreSQL, cache and broker under `directory`, and PgBouncer where it is asked for.

    Ports and passwords are chosen here and nothing is started, so `variables` is known at once.
    `given` are variables that point elsewhere: what they name is not started. `throw_away` trades
    the survival of a power cut for speed; without it, ports are remembered in `directory`.
    `programs` is the bin folder of another PostgreSQL than the wheel's.
    """

    def __init__(
        self,
        directory: Path,
        *,
        given: Mapping[str, str] | None = None,
        throw_away: bool = False,
        pooler: bool = False,
        programs: Path | None = None,
    ) -> None:
        self.directory = directory
        self._remember = not throw_away
        self._given = {name: url for name in VARIABLES if (url := (given or {}).get(name))}
        self.postgres: Postgres | None = None
        self.pgbouncer: PgBouncer | None = None
        self.cache: Valkey | None = None
        self.broker: Valkey | None = None
        if "DATABASE_URL" not in self._given:
            self.postgres = Postgres(
                directory / "postgres",
                port=self._port("postgres"),
                programs=programs,
                settings=THROW_AWAY if throw_away else None,
            )
            if pooler and find_pgbouncer():
                self.pgbouncer = PgBouncer(directory / "pgbouncer", self.postgres)
        if "CACHE_URL" not in self._given:
            self.cache = Valkey(directory / "cache", "cache", port=self._port("cache"))
        if "BROKER_URL" not in self._given:
            self.broker = Valkey(directory / "broker", "broker", port=self._port("broker"))

    @property
    def variables(self) -> dict[str, str]:
        """DATABASE_URL, DATABASE_DIRECT_URL, CACHE_URL and BROKER_URL."""
        found = dict(self._given)
        if self.postgres:
            found["DATABASE_URL"] = (self.pgbouncer or self.postgres).url("app")
            found["DATABASE_DIRECT_URL"] = self.postgres.url("migrator")
        if self.cache:
            found["CACHE_URL"] = self.cache.url
        if self.broker:
            found["BROKER_URL"] = self.broker.url
        # One database without a pooler may be named once; the roles are then the owner's affair.
        found.setdefault("DATABASE_DIRECT_URL", found["DATABASE_URL"])
        return found

    def servers(self) -> Iterator[Server]:
        """Those that are ours to run, in the order in which they start."""
        for server in (self.postgres, self.pgbouncer, self.cache, self.broker):
            if server:
                yield server

    def start(self) -> Self:
        """Start all. Raises `ServerError` and leaves none running when one does not start."""
        try:
            for server in self.servers():
                server.start()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        for server in reversed(list(self.servers())):
            server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _port(self, name: str) -> int:
        """The port of the last run, while nobody took it: a database browser finds it again."""
        if not self._remember:
            return free_port()
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        note = self.directory / f"{name}.port"
        remembered = note.read_text().strip() if note.exists() else ""
        port = int(remembered) if remembered.isdigit() else 0
        if not (port and port_is_free(port)):
            port = free_port()
            note.write_text(f"{port}\n")
        return port
