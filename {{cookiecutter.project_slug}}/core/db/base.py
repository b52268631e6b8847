"""Django's PostgreSQL backend, whose statements keep to the request's deadline: ENGINE `core.db`.

Under threads a session's `SET statement_timeout` is forbidden (behind PgBouncer it would be the
next client's), so the client keeps the time: psycopg waits for an answer no longer than what is
left. That bounds a frozen server and the pooler's queue as well, which no setting of the server
does. Weighed: `SET LOCAL` is a round trip for each transaction, and bounds no queue; a thread that
cancels from the side races with the end of the query.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, TypeVar

import psycopg
from django.db import OperationalError
from django.db.backends.postgresql import base
from psycopg.abc import PQGen
from psycopg.errors import _WaitTimeout

from core import deadline

T = TypeVar("T")

# Seconds that a rollback or a commit gets after the deadline; a statement is not begun then.
# Deadline, connecting (3) and this are below gunicorn's 30 s.
GRACE = 0.5
# What keeps a transaction whole may run after the deadline.
_BOOKKEEPING = ("SAVEPOINT", "ROLLBACK", "RELEASE")


class _GivenUpError(psycopg.OperationalError):
    """The driver's own kind of error, so that Django closes the connection where it was raised."""


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that waits no longer than the request's time; it is closed when it did.

    The pooler then drops its side, and the role's client_connection_check_interval of 1 s lets the
    server notice, so that it holds no lock for nobody. Never by a cancel request: one whose client
    leaves before a frozen server has answered ends all of PgBouncer ("bad client state: 0", 1.18
    here, pgbouncer/pgbouncer#846).
    """

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """As psycopg's."""
        left = deadline.remaining()
        if timeout is not None or left == float("inf"):
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, max(left, GRACE))
        except _WaitTimeout:
            self.close()  # in the middle of an answer it is of no use to anybody
            raise _GivenUpError(str(deadline.Exhausted())) from None


class DatabaseWrapper(base.DatabaseWrapper):
    """Begins no statement and no connection after the deadline."""

    # Django takes the driver's errors and its `connect` from here.
    Database = SimpleNamespace(  # type: ignore[assignment]
        **{**vars(psycopg), "connect": BoundedConnection.connect}
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.execute_wrappers.append(_in_time)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        deadline.check()  # connecting itself has 3 s (CONNECT_TIMEOUT)
        return super().get_new_connection(conn_params)


def _in_time(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
    if deadline.remaining() <= 0 and not str(sql).startswith(_BOOKKEEPING):
        raise deadline.Exhausted
    try:
        return execute(sql, params, many, context)
    except OperationalError as error:
        if not isinstance(error.__cause__, _GivenUpError):
            raise
        # Inside a transaction Django marks it as broken, so that no half of it is committed.
        context["connection"].close()
        raise deadline.Exhausted from error
