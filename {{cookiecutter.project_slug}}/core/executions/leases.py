"""The statements by which runs of one message agree: one round trip each, by the database's clock.

A lease, not a lock: a lock needs a session, which a pooler in transaction mode does not give, and a
broker's visibility timeout (15 minutes here) is too long to wait for a worker that died.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection

# Seconds. A worker that died is missed for this long; with the sweep of 5 s and the publish, its
# work is taken up within 40, whatever the broker does. Two renewals of three may fail.
LEASE, RENEW = 30.0, 10.0

_CLAIM = """
    INSERT INTO core_execution AS run
        (key, task, queue, body, headers, holder, lease_until)
    VALUES (%(key)s, %(task)s, %(queue)s, %(body)s, %(headers)s::jsonb, %(holder)s,
            clock_timestamp() + make_interval(secs => %(seconds)s))
    ON CONFLICT (key) DO UPDATE SET
        holder = excluded.holder, lease_until = excluded.lease_until,
        losses = least(run.losses + (run.holder <> '')::int, 32767)
    WHERE run.completed_at IS NULL AND run.failed_at IS NULL
      AND (run.lease_until < clock_timestamp() OR run.holder IN ('', %(dead)s))
    RETURNING losses
"""
_STATE = """
    SELECT holder, completed_at IS NOT NULL, failed_at IS NOT NULL
    FROM core_execution WHERE key = %(key)s
"""
_OPEN = "key = %(key)s AND holder = %(holder)s AND completed_at IS NULL AND failed_at IS NULL"
_LATER = "lease_until = clock_timestamp() + make_interval(secs => %(seconds)s)"
_TABLE = "UPDATE core_execution SET"
# Put together of constants alone.
_RENEW = f"{_TABLE} {_LATER} WHERE {_OPEN}"
_RELEASE = f"{_TABLE} holder = '', {_LATER} WHERE {_OPEN}"
_COMPLETE = f"{_TABLE} completed_at = clock_timestamp() WHERE {_OPEN}"
_REVIVE = f"""
    {_TABLE} failed_at = NULL, losses = 0, holder = '', {_LATER}
    WHERE key = %(key)s AND completed_at IS NULL
"""
_FAIL = """
    UPDATE core_execution SET failed_at = clock_timestamp()
    WHERE key = %(key)s AND completed_at IS NULL
"""


class LeaseLostError(Exception):
    """Another run took the message over; this one's effect is rolled back."""


@dataclass(frozen=True)
class Claim:
    """What came of the wish to run a message: `refused` says why not, `losses` who died before."""

    refused: str = ""
    losses: int = 0
    holder: str = ""


def claim(
    key: str, *, holder: str, task: str, queue: str, body: str, headers: str, dead: str = ""
) -> Claim:
    """Take the lease of a message, in a transaction of its own.

    Args:
        headers: JSON; with `task`, `queue` and `body` what it takes to publish the message again.
        dead: a holder of whom the caller knows that it is gone; its lease need not end first.
    """
    values: dict[str, str | float] = {
        "key": key,
        "holder": holder,
        "task": task,
        "queue": queue,
        "body": body,
        "headers": headers,
        "seconds": LEASE,
        "dead": dead,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, values)
        if found := cursor.fetchone():
            return Claim(losses=found[0])
        cursor.execute(_STATE, {"key": key})
        other, is_done, has_failed = cursor.fetchone() or ("", False, False)
    reason = "done" if is_done else "given up" if has_failed else "held"
    return Claim(refused=reason, holder=other)


def renew(key: str, holder: str) -> bool:
    """Hold the lease for another `LEASE`. False: it is another's."""
    return _run(_RENEW, key=key, holder=holder, seconds=LEASE) == 1


def release(key: str, holder: str, seconds: float = 0.0) -> None:
    """Let the next run begin; when none comes within `seconds`, the message is published again."""
    _run(_RELEASE, key=key, holder=holder, seconds=seconds)


def complete(key: str, holder: str) -> None:
    """Note in the transaction of the effect that the effect is there. Raises `LeaseLostError`."""
    if _run(_COMPLETE, key=key, holder=holder) != 1:
        raise LeaseLostError(f"{key} was taken over from {holder}")


def fail(key: str) -> bool:
    """Give the message up: it is a dead letter, and nobody publishes it again.

    False for one that is done, or of which no run is known.
    """
    return _run(_FAIL, key=key) == 1


def revive(key: str) -> None:
    """Take the giving up back, for a dead letter that is replayed."""
    _run(_REVIVE, key=key, seconds=LEASE)


def _run(statement: str, **values: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)
