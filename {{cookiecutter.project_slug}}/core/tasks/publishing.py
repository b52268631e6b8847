"""Publish within a bound: a broker that is dead or frozen costs a request 0.3 s, once.

Weighed: Celery's `task_publish_retry` waits 0.6 s on a refused connection and for ever on a frozen
one (kombu passes `socket_timeout=None`); with the consumer's timeouts, seconds for each task.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog
from kombu.exceptions import LimitExceeded, OperationalError
from kombu.pools import producers, set_limit

if TYPE_CHECKING:
    from celery import Celery

logger = structlog.get_logger("core.tasks")

# Seconds. Together below the 0.3 that a request may pay, by the 40 ms of CPU that redis-py takes to
# load the authorities for a TLS connection; on a local network a broker connects and answers in
# less than 1 ms, and stalls for some 100 ms while it forks to save.
CONNECT_TIMEOUT = 0.1
ANSWER_TIMEOUT = 0.15
OPTIONS = {
    "socket_connect_timeout": CONNECT_TIMEOUT,
    "socket_timeout": ANSWER_TIMEOUT,
    # The same for RabbitMQ, which reads these names.
    "read_timeout": ANSWER_TIMEOUT,
    "write_timeout": ANSWER_TIMEOUT,
    # An attempt, no more: kombu's own loop sleeps for 2 s between two.
    "max_retries": 0,
}
ACQUIRE_TIMEOUT = 0.1  # seconds to wait for one of the process's producers


class Breaker:
    """Lets nobody try for `pause` seconds after an attempt that took `slow` seconds to fail.

    A connection that is refused costs nothing and does not open it: tasks flow again the moment the
    broker is back. When the pause ends, one caller tries and the others still pass by.
    """

    def __init__(self, *, pause: float, slow: float) -> None:
        self._pause = pause
        self._slow = slow
        self._until = 0.0
        self._lock = threading.Lock()

    def allows(self) -> bool:
        """Whether to try now. Who is let through after a pause holds the others off."""
        now = time.monotonic()
        with self._lock:
            if now < self._until:
                return False
            if self._until:
                self._until = now + self._pause
            return True

    def failed(self, started: float) -> None:
        """An attempt that began at `started` (`time.monotonic()`) failed."""
        now = time.monotonic()
        if now - started >= self._slow:
            with self._lock:
                self._until = now + self._pause

    def succeeded(self) -> None:
        with self._lock:
            self._until = 0.0


# 5 s: a frozen broker costs a busy process 4 % of its time; a broker that returns waits no longer.
breaker = Breaker(pause=5.0, slow=0.05)
# Task name to how often this process did not publish it; for metrics to read.
failures: Counter[str] = Counter()
_counting = threading.Lock()


def publish(app: Celery, send: Callable[..., Any], *, task: str, task_id: str, strict: bool) -> Any:
    """Call `send(producer=…)` with a quick producer, if the breaker allows it.

    Returns what `send` returns. When the broker does not take the task: raises `OperationalError`
    with `strict`, else logs it, counts it and returns None.
    """
    try:
        if not breaker.allows():
            raise OperationalError("the broker did not answer a moment ago")
        return _attempt(app, send)
    except (OperationalError, LimitExceeded) as error:
        if strict:
            raise OperationalError(str(error)) from error
        with _counting:
            failures[task] += 1
        logger.error("task not published", task=task, task_id=task_id, reason=str(error))
        return None


def _attempt(app: Celery, send: Callable[..., Any]) -> Any:
    set_limit(app.conf.broker_pool_limit)
    # kombu keeps one pool for each set of options and empties it after a fork.
    connection = app.connection_for_write(
        connect_timeout=CONNECT_TIMEOUT, transport_options=OPTIONS
    )
    started = time.monotonic()
    try:
        with producers[connection].acquire(block=True, timeout=ACQUIRE_TIMEOUT) as producer:
            result = send(producer=producer)
    except (OperationalError, LimitExceeded):
        breaker.failed(started)
        raise
    breaker.succeeded()
    return result
