"""Redis or Valkey as cache, and as the fast half of sessions.

Decides: what happens when it is slow, dead or full: a miss, never an error. Reads CACHE_URL and
SERVICE_NAME. Without the timeouts a frozen Redis holds each request for 5 s; without
IGNORE_EXCEPTIONS a dead one answers 500. To lift it out: take `core/cache/`.
"""

from config.env import env

CACHES = {
    "default": {
        "BACKEND": "core.cache.backend.ExpiringRedisCache",
        "LOCATION": env.CACHE_URL,
        "KEY_PREFIX": env.SERVICE_NAME,
        # Seconds for a write that names no time to live.
        "TIMEOUT": 300,
        "OPTIONS": {
            "IGNORE_EXCEPTIONS": True,
            # The breaker: an outage costs its first requests a timeout, the later ones nothing.
            "REDIS_CLIENT_CLASS": "core.cache.client.GuardedRedis",
            "CONNECTION_POOL_CLASS": "core.cache.client.GuardedPool",
            # Seconds, on a local network where a reply takes less than a millisecond: long enough
            # for a fork of the server to save, short enough for several in a request.
            "SOCKET_CONNECT_TIMEOUT": 0.3,
            "SOCKET_TIMEOUT": 0.5,
            # Seconds of silence after which a pooled connection is tried before use: a failover
            # leaves dead ones behind.
            "CONNECTION_POOL_KWARGS": {"health_check_interval": 30},
        },
    },
}
# A miss that is an outage is logged, at most once a second (core/cache/outage.py).
DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS = True
DJANGO_REDIS_LOGGER = "core.cache"
