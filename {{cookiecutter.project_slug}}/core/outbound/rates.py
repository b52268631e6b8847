"""A limit of calls that holds for all processes together: a token bucket in the cache's Redis.

Celery's `rate_limit` counts for each worker; DRF's throttles count who calls us. Weighed:
pyrate-limiter waits in the process by its own clock, and `limits` has no bucket that says how long
to wait.
"""

from __future__ import annotations

from dataclasses import dataclass

import httpx2
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import RedisError

from core.cache.buckets import take

# Seconds after which to ask again while the cache is away.
_AWAY = 1.0
# Seconds: the longest wait for a turn, for a caller without a deadline.
_LONGEST = 3_600.0


class RateLimitedError(httpx2.TransportError):
    """No turn within the call's time. `seconds` is for the countdown of a task's retry."""

    def __init__(self, name: str, seconds: float) -> None:
        super().__init__(f"the limit of calls to {name} is used up for {seconds:.1f} s")
        self.seconds = seconds


@dataclass(frozen=True)
class RateLimit:
    """`rate` calls a second to what `name` stands for, `burst` at once after a quiet time.

    While the cache is away nobody calls: who breaks a partner's limit is locked out for longer than
    a cache is. A cache that was emptied allows one burst more.
    """

    name: str
    rate: float
    burst: int = 1

    def turn(self, patience: float = 0.0) -> float:
        """Take a turn. Returns the seconds until it comes, which the caller waits.

        Raises `RateLimitedError` when that is longer than `patience`; then no turn was taken, and
        nobody who waits has lost his.
        """
        interval = 1 / self.rate
        try:
            wait = take(
                f"outbound:{self.name}",
                interval=interval,
                burst=interval * self.burst,
                patience=min(max(0.0, patience), _LONGEST),
            )
        except (ConnectionInterrupted, RedisError) as error:
            raise RateLimitedError(self.name, _AWAY) from error
        if wait < 0:
            raise RateLimitedError(self.name, -wait)
        return wait
