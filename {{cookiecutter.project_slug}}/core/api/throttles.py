"""How many calls a minute: for each API key, user, or address of an anonymous client.

A comfort for everybody else, not a guard: it fails open while the cache is away, and the proxy's
limit remains. What must hold then (logins, tokens) is counted in PostgreSQL.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.core.cache import caches
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from core.requests.address import client_network

if TYPE_CHECKING:
    from rest_framework.views import APIView

PERIOD = 60  # seconds in which a full allowance is earned

# GCRA, which is a token bucket kept as one moment: the one at which the bucket is full again. A
# client may spend its allowance at once, then one call each interval. Time is the server's, so the
# clocks of pods do not matter; the key ends when it means nothing any more. In microseconds.
# Returns 0, or how long to wait.
_LUA = """
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now) + interval
local wait = full - now - burst
if wait > 0 then return wait end
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
return 0
"""


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
            self._wait = _take(f"throttle:{scope}:{who}", rate)
        except (ConnectionInterrupted, RedisError):
            return True
        return self._wait <= 0

    def wait(self) -> float:
        """Seconds until the next call is within the rate, whole and at least one."""
        return max(1, ceil(self._wait))


def _caller(request: Request) -> tuple[str, str]:
    if (key := getattr(request.auth, "pk", None)) is not None:
        return "key", str(key)
    if request.user.is_authenticated:
        return "user", str(request.user.pk)
    return "anonymous", client_network(request._request)


def _take(name: str, rate: int) -> float:
    """Seconds to wait, 0 for a call within the rate."""
    backend = cast("Any", caches["default"])
    client = backend.client.get_client(write=True)
    burst = PERIOD * 1_000_000
    wait = client.eval(_LUA, 1, str(backend.make_key(name)), burst // rate, burst)
    return float(wait) / 1_000_000
