"""A token bucket in Redis, for all processes together."""

from __future__ import annotations

from typing import Any, cast

from django.core.cache import caches

# GCRA, which is a token bucket kept as one moment: the one at which the bucket is full again. Time
# is the server's, so the clocks of pods do not matter; the key ends when it means nothing any
# more. In microseconds. Returns how long to wait for the token that was taken, or less than 0 for
# how long it would have been when that is more than the caller's patience: then none was taken.
_TAKE = """
local interval, burst, patience = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now) + interval
local wait = math.max(0, full - now - burst)
if wait > patience then return -wait end
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
return wait
"""
_SECOND = 1_000_000


def take(name: str, *, interval: float, burst: float, patience: float = 0.0) -> float:
    """A token of the bucket `name`, which gets one each `interval` and holds those of `burst`.

    All in seconds. Returns 0, or the wait for the token: it is the caller's, as long as it is at
    most `patience`. Otherwise nothing was taken, and the number is negative.

    Raises `ConnectionInterrupted` or `RedisError` when the cache is away. A key that the cache
    evicted is a full bucket.
    """
    backend = cast("Any", caches["default"])
    client = backend.client.get_client(write=True)
    numbers = (round(seconds * _SECOND) for seconds in (interval, burst, patience))
    return float(client.eval(_TAKE, 1, str(backend.make_key(name)), *numbers)) / _SECOND
