"""The part of a release that drills of migrations share: the table of `drills.app.release`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg

from drills.service import Service
from tests.server.roles import Running

APP = "drill_release"
COLUMNS = "SELECT column_name FROM information_schema.columns WHERE table_name = 'drill_item'"
WAITING = "SELECT count(*) FROM pg_locks WHERE relation = 'drill_item'::regclass AND NOT granted"
# Seconds for a run; the last of eight attempts begins within 45.
PATIENCE = 120.0


class Release:
    """Runs of `manage.py migrate`; `flags` are those of `drills.app.release`."""

    def __init__(self, service: Service, *flags: str) -> None:
        self._service = service
        self._flags = flags

    def start(
        self, *arguments: str, env: Mapping[str, str] | None = None, flags: tuple[str, ...] = ()
    ) -> Running:
        module = "drills.app.release"
        words = (*self._flags, *flags, "migrate", APP, *arguments)
        return self._service.program(module, *words, env=env)

    def run(self, *arguments: str) -> int:
        return self.start(*arguments).wait_for_exit(PATIENCE)

    @contextmanager
    def of_the_last(self) -> Iterator[None]:
        """The schema as the last release made it; the table is gone after the block."""
        assert self.run("0001") == 0
        try:
            yield
        finally:
            # Not by the migrations, which a drill may have left half done.
            self._service.postgres.psql(
                "DROP TABLE drill_item;DELETE FROM django_migrations WHERE app = 'drill_release'",
                database=self._service.postgres.database,
            )

    def columns(self) -> set[str]:
        return {name for (name,) in self._service.ledger.rows(COLUMNS)}

    def waits(self) -> bool:
        """Whether anybody waits for the table."""
        return self._service.ledger.rows(WAITING) != [(0,)]

    @contextmanager
    def reader(self) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
        """A transaction that has read the table, and stays open until the block ends."""
        url = self._service.postgres.url("app", database=self._service.postgres.database)
        with psycopg.connect(url, application_name="reader", autocommit=True) as session:
            session.execute("SET idle_in_transaction_session_timeout = 0")
            with session.transaction():
                session.execute("SELECT count(*) FROM drill_item")
                yield session
