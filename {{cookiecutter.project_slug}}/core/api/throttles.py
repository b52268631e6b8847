"""How many calls a minute: for each API key, user, or address of an anonymous client.

A comfort for everybody else, not a guard: it fails open while the cache is away, and the proxy's
limit remains. What must hold then (logins, tokens) is counted in PostgreSQL.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from django.conf import settings
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from core.cache.buckets import take
from core.requests.address import client_network

if TYPE_CHECKING:
    from rest_framework.views import APIView

PERIOD = 60  # seconds in which a full allowance is earned


class RateThrottle(BaseThrottle):
    """Calls a minute by `settings.API_RATES`: "key", "user" and "anonymous"; None for no limit.

    Anybody over it gets 429 with Retry-After, in seconds. RateLimit headers were weighed and left
    out: the draft has changed their names and their shape three times.

    Weighed: DRF's own throttles read, change and write a list of moments; two calls at once are
    counted as one, and the list of a busy client is sent both ways with each call.
    """

    def __init__(self) -> None:
        self._wait = 0.0

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count this call; whether it is within the rate. True when the cache is away."""
        scope, who = _caller(request)
        rate = settings.API_RATES.get(scope)
        if rate is None:
            return True
        try:
            # All of a minute at once, then one call each interval.
            wait = take(f"throttle:{scope}:{who}", interval=PERIOD / rate, burst=PERIOD)
        except (ConnectionInterrupted, RedisError):
            return True
        self._wait = -wait
        return wait >= 0

    def wait(self) -> float:
        """Seconds until the next call is within the rate, whole and at least one."""
        return max(1, ceil(self._wait))


def _caller(request: Request) -> tuple[str, str]:
    if (key := getattr(request.auth, "pk", None)) is not None:
        return "key", str(key)
    if request.user.is_authenticated:
        return "user", str(request.user.pk)
    return "anonymous", client_network(request._request)
