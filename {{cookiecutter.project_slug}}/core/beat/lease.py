"""The statements by which several beats agree. Each is one round trip and safe behind a pooler.

Weighed: celery-redbeat keeps its lock in Redis, where it dies with the broker; an advisory lock
needs a session, which PgBouncer in transaction mode does not give.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection

_HOLD = """
    INSERT INTO core_beat_lease (name, holder, expires_at)
    VALUES (%(name)s, %(holder)s, clock_timestamp() + make_interval(secs => %(seconds)s))
    ON CONFLICT (name) DO UPDATE SET holder = EXCLUDED.holder, expires_at = EXCLUDED.expires_at
    WHERE core_beat_lease.holder = EXCLUDED.holder
       OR core_beat_lease.expires_at < clock_timestamp()
"""
_RELEASE = "DELETE FROM core_beat_lease WHERE name = %(name)s AND holder = %(holder)s"
_CLAIM = """
    UPDATE core_beat_tick SET due_at = %(due_at)s WHERE entry = %(entry)s AND due_at < %(due_at)s
"""
_FIRST_SIGHT = """
    INSERT INTO core_beat_tick (entry, due_at) VALUES (%(entry)s, %(now)s)
    ON CONFLICT (entry) DO NOTHING
"""


def hold(name: str, holder: str, seconds: float) -> bool:
    """Take or renew the lease for `seconds`, by the database's clock. False: another has it."""
    return _run(_HOLD, name=name, holder=holder, seconds=seconds) == 1


def release(name: str, holder: str) -> None:
    """Give the lease up, so that another need not wait for its end."""
    _run(_RELEASE, name=name, holder=holder)


def last_tick(entry: str, now: datetime) -> datetime:
    """When `entry` was due last; `now` for one that is new, which therefore does not fire yet."""
    _run(_FIRST_SIGHT, entry=entry, now=now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT due_at FROM core_beat_tick WHERE entry = %s", [entry])
        due_at: datetime = cursor.fetchone()[0]
        return due_at


def claim(entry: str, due_at: datetime) -> bool:
    """Take the tick `(entry, due_at)`. False: it, or a later one, was taken before."""
    return _run(_CLAIM, entry=entry, due_at=due_at) == 1


def _run(statement: str, **values: str | float | datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)
