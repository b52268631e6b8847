"""Attempts are counted before they are made, in one statement each.

Counting after a failure is too late: 50 parallel attempts all read the same low count, and all of
them get their guess. Here the row is incremented first and given back on success, so that of any
number at once no more than the limit are made. An error of the database is an error of the caller:
nobody gets in uncounted.

Weighed: django-axes 8.3.1 (database handler) checks first and counts after the password was
verified; measured with a limit of 10, 50 parallel wrong passwords were all verified. Its rows keep
the address and each request's parameters in plain text, for every user agent anew. allauth's own
limits and DRF's throttles count in the cache, which is away when it matters.
"""

from __future__ import annotations

import math

import structlog
from django.db import connections, router, transaction
from django.utils.translation import gettext as _
from rest_framework.exceptions import Throttled

from core.lockout.limits import Key
from core.lockout.models import Counter

logger = structlog.get_logger(__name__)

# `expires_at` moves when a period begins and once more when the limit is reached, never beyond.
_COUNT = """
INSERT INTO core_lockout_counter AS counter (key, count, expires_at)
VALUES (%(key)s, 1, clock_timestamp() + make_interval(secs => %(seconds)s))
ON CONFLICT (key) DO UPDATE SET
    count = CASE WHEN counter.expires_at <= clock_timestamp() THEN 1 ELSE counter.count + 1 END,
    expires_at = CASE
        WHEN counter.expires_at <= clock_timestamp() OR counter.count + 1 = %(attempts)s
        THEN clock_timestamp() + make_interval(secs => %(seconds)s)
        ELSE counter.expires_at
    END
RETURNING count, extract(epoch FROM expires_at - clock_timestamp())
"""
_REMEMBER = """
INSERT INTO core_lockout_counter (key, count, expires_at)
VALUES (%s, 1, clock_timestamp() + make_interval(secs => %s))
ON CONFLICT (key) DO UPDATE SET count = 1, expires_at = excluded.expires_at
"""
_GIVE_BACK = """
UPDATE core_lockout_counter SET count = count - 1
WHERE key = %s AND count > 0 AND expires_at > clock_timestamp()
"""


class LockedOut(Throttled):
    """429 with Retry-After; the same for anybody, whether what they tried exists or not."""

    default_code = "too_many_attempts"

    def __init__(self, seconds: float) -> None:
        super().__init__(detail=_("Too many attempts: try again later."))
        self.wait: int = max(1, math.ceil(seconds))


class Attempt:
    """What was counted, to be given back when it turns out to be no guess."""

    def __init__(self, keys: tuple[Key, ...]) -> None:
        self._keys = keys

    def give_back(self) -> None:
        """Uncount it."""
        with transaction.atomic(_database()), connections[_database()].cursor() as cursor:
            for key in self._keys:
                cursor.execute(_GIVE_BACK, [key.text])


def count(*keys: Key) -> Attempt:
    """Count one attempt under each key, or under none and raise `LockedOut`.

    Always name keys in the same order of limits: two that wait for each other's rows would be a
    deadlock. Raises `RuntimeError` inside a transaction, whose rollback would uncount the attempt.
    """
    # A refusal leaves the block by an exception, which takes back what the earlier keys counted:
    # one client that hammers a locked account locks neither its network nor the account elsewhere.
    with (
        transaction.atomic(_database(), durable=True),
        connections[_database()].cursor() as cursor,
    ):
        for key in keys:
            cursor.execute(
                _COUNT,
                {
                    "key": key.text,
                    "seconds": key.limit.seconds,
                    "attempts": key.limit.attempts,
                },
            )
            counted, seconds = cursor.fetchone()
            if counted > key.limit.attempts:
                logger.warning("too many attempts", limit=key.limit.name)
                raise LockedOut(float(seconds))
    return Attempt(keys)


def forget(*keys: Key) -> None:
    """Delete counters: the right password was given, or an operator unlocks somebody."""
    Counter.objects.filter(key__in=[key.text for key in keys]).delete()


def forget_all(key: Key) -> int:
    """Delete the counter and those of the same limit with further parts. Returns how many."""
    deleted, _ = Counter.objects.filter(key__startswith=key.text).delete()
    return deleted


def remember(key: Key) -> None:
    """Note for the limit's `seconds` that this happened; `remembers` tells.

    In one statement and never refused: to delete and count would lock out the second of two logins
    that succeed at the same moment.
    """
    with connections[_database()].cursor() as cursor:
        cursor.execute(_REMEMBER, [key.text, key.limit.seconds])


def remembers(key: Key) -> bool:
    """Whether `remember` was called in time."""
    with connections[_database()].cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM core_lockout_counter WHERE key = %s AND expires_at > clock_timestamp()",
            [key.text],
        )
        return cursor.fetchone() is not None


def _database() -> str:
    # The primary: a replica's counters are those of a moment ago.
    return router.db_for_write(Counter)
