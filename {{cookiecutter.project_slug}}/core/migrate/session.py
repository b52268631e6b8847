"""The session that migrates: that it is the server's own, and that there is one at a time."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

from django.db import DatabaseError, InterfaceError
from django.db.backends.base.base import BaseDatabaseWrapper

# Any number of ours; advisory locks are counted for each database.
KEY = 0x6D696772617465  # "migrate"
# Seconds between two looks at a lock that another run holds.
LOOK = 0.5
_HELD = """
    SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted
    AND pid = pg_backend_pid() AND classid::bigint << 32 | objid::bigint = %s
"""
_HOLDER = """
    SELECT a.pid, a.usename, coalesce(host(a.client_addr), 'this machine') FROM pg_locks l
    JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND l.granted
    AND l.classid::bigint << 32 | l.objid::bigint = %s
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class OtherRunError(Exception):
    """Another run held the lock for all the time that was given."""


def is_pooled(connection: BaseDatabaseWrapper) -> bool:
    """Whether a pooler stands between: the process that answers is not the one that was greeted.

    A pooler hands its clients keys of its own, because a client has no server process to itself.
    Through one a session lock would be the next client's, and a SET as well.
    """
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (answering,) = cursor.fetchone()
    greeted: int = connection.connection.info.backend_pid
    return bool(answering != greeted)


@contextmanager
def alone(connection: BaseDatabaseWrapper, seconds: float) -> Iterator[None]:
    """Hold the lock while the block runs. Raises `OtherRunError` after `seconds` of waiting.

    It is held by the connection that migrates, not by a second one: the server goes on with an
    index for a client that is dead, and nobody may take that index for a left-over meanwhile. With
    the session it ends, however that ends.
    """
    take(connection, seconds)
    try:
        yield
    finally:
        _release(connection)


def take(connection: BaseDatabaseWrapper, seconds: float) -> None:
    """Take the lock unless it is ours already, as it is not once a RunPython closed the connection.

    Asks again and again: a session that waits inside of pg_advisory_lock() has a snapshot, and
    CREATE INDEX CONCURRENTLY of the one that holds the lock would wait for it in turn.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [KEY])
        if cursor.fetchone()[0]:
            return
        deadline = time.monotonic() + seconds
        while True:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [KEY])
            if cursor.fetchone()[0]:
                return
            if time.monotonic() >= deadline:
                cursor.execute(_HOLDER, [KEY])
                raise OtherRunError(_who(cursor.fetchone(), seconds))
            Event().wait(LOOK * random.uniform(0.5, 1.5))  # noqa: S311 - no secret


def _who(holder: tuple[int, str, str] | None, seconds: float) -> str:
    by = f": process {holder[0]} of {holder[1]}, from {holder[2]}" if holder else ""
    return f"Another run of migrate held its lock for {seconds:g} s{by}. Run it again later."


def _release(connection: BaseDatabaseWrapper) -> None:
    """A session that is broken has released it already, or does so by ending with the process."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [KEY])
    except (DatabaseError, InterfaceError):
        return
