"""The nudge from a commit to the relay, over the cache's server: cheap, and lost without harm.

Weighed: NOTIFY takes a lock of the whole database at commit, so that all commits with one queue up,
and LISTEN needs a session past the pooler. A message in the broker would be lost with the broker,
and RabbitMQ has another protocol. Nobody waits for this one: the relay polls every second.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import Any

import redis
from django.conf import settings
from django_redis import get_redis_connection
from django_redis.exceptions import ConnectionInterrupted

AWAY = (redis.RedisError, ConnectionInterrupted, OSError)


def channel() -> str:
    """Of this service alone: instances of Redis are shared."""
    return f"{settings.CACHES['default'].get('KEY_PREFIX', '')}:outbox"


def nudge() -> None:
    """Wake a relay that waits. Costs a round trip to the cache; nothing while its breaker is open.

    Raises nothing that a server can cause.
    """
    with suppress(*AWAY):
        get_redis_connection("default").publish(channel(), "")


class Alarm:
    """What the relay waits on between two turns."""

    def __init__(self) -> None:
        self._subscription: Any = None

    def wait(self, seconds: float) -> None:
        """Until a nudge, or for `seconds`; never longer, whatever the cache does."""
        deadline = time.monotonic() + seconds
        try:
            if self._subscription is None:
                pubsub = get_redis_connection("default").pubsub(ignore_subscribe_messages=True)
                pubsub.subscribe(channel())
                self._subscription = pubsub
            while (left := deadline - time.monotonic()) > 0:
                if self._subscription.get_message(timeout=left):
                    self._empty()
                    return
        except AWAY:
            self.close()
            if (left := deadline - time.monotonic()) > 0:
                threading.Event().wait(left)

    def close(self) -> None:
        if self._subscription is not None:
            with suppress(*AWAY):
                self._subscription.close()
        self._subscription = None

    def _empty(self) -> None:
        """Nudges that came together wake once."""
        while self._subscription.get_message(timeout=0):
            pass
