"""`/__heartbeat__`: every service behind this one, for alerts and people, never for routing.

A database, a cache or a broker that is away is an error here and takes no instance out of rotation:
that is `/readyz`, which asks about the primary database alone.

Weighed: django-health-check 4 has no time limit for a check, opens a database connection for each
and renders HTML; python-dockerflow runs its checks in a Django view, one after the other.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.health.database import Connection

# Seconds for all checks together; they run side by side.
LIMIT = 1.0
# Seconds an answer is given again, so that a public heartbeat multiplies no load.
FRESH = 1.0

Report = dict[str, Any]
Check = Callable[[], tuple[str, str]]
"""Returns "ok", "warning" or "error", and the reason; what it raises is an error."""


class Heartbeat:
    """Run the checks, each in a thread of its own, and report what is known after LIMIT."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._running: dict[str, Future[tuple[str, str]]] = {}
        self._last: tuple[float, tuple[bool, Report]] | None = None

    def __call__(self) -> tuple[bool, Report]:
        """Whether nothing is in error, and the report: `status`, `checks` and `details`."""
        with self._lock:
            if self._last is None or time.monotonic() - self._last[0] > FRESH:
                report = self._ask()
                # Its age counts from its end: one that took LIMIT would be old at once, and each
                # caller in the queue would pay for another.
                self._last = (time.monotonic(), report)
            return self._last[1]

    def _ask(self) -> tuple[bool, Report]:
        if self._pool is None:  # not before the fork
            self._pool = ThreadPoolExecutor(len(self._checks), thread_name_prefix="heartbeat")
        # A check that is still stuck from the last time is not started again.
        self._running = {
            name: future
            if (future := self._running.get(name)) and not future.done()
            else self._pool.submit(check)
            for name, check in self._checks.items()
        }
        wait(self._running.values(), timeout=LIMIT)
        found = {name: _outcome(future) for name, future in self._running.items()}
        worst = max((status for status, _ in found.values()), key=_LEVELS.index)
        return worst != "error", {
            "status": worst,
            "checks": {name: status for name, (status, _) in found.items()},
            "details": {name: reason for name, (_, reason) in found.items() if reason},
        }


_LEVELS = ["ok", "warning", "error"]


def _outcome(future: Future[tuple[str, str]]) -> tuple[str, str]:
    if not future.done():
        return "error", f"no answer within {LIMIT:g} s"
    if error := future.exception():
        # The class alone: a message may hold a host, a user or a URL with its password.
        return "error", type(error).__name__
    return future.result()


def database(conninfo: str) -> Check:
    """The primary answers and is no replica."""
    connection = Connection(conninfo)

    def check() -> tuple[str, str]:
        try:
            answer = connection.ask("SELECT pg_is_in_recovery()", LIMIT)
        finally:
            connection.close()
        return ("ok", "") if answer == ["f"] else ("error", "the server is a replica")

    return check


def migrations(conninfo: str, known: Callable[[], set[str]]) -> Check:
    """Every migration of the code is applied; those of newer code are none of our business.

    `known` gives the names of the code's migrations as "app.name".
    """
    connection = Connection(conninfo)

    def check() -> tuple[str, str]:
        try:
            query = "SELECT app || '.' || name FROM django_migrations"
            missing = known() - set(connection.ask(query, LIMIT))
        finally:
            connection.close()
        return ("warning", f"{len(missing)} unapplied, run migrate") if missing else ("ok", "")

    return check


def cache(url: str) -> Check:
    """The cache answers a PING."""

    def check() -> tuple[str, str]:
        with _client(url) as client:
            client.ping()
        return "ok", ""

    return check


def broker(url: str) -> Check:
    """The broker answers, and a Redis that may evict queued tasks is an error."""
    if urlsplit(url).scheme in ("amqp", "amqps"):
        return lambda: _amqp(url)

    def check() -> tuple[str, str]:
        with _client(url) as client:
            policy = client.info("memory")["maxmemory_policy"]
        if policy != "noeviction":
            return "error", f"maxmemory-policy is {policy}, which deletes queued tasks: noeviction"
        return "ok", ""

    return check


def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_connect_timeout=LIMIT / 2,
        socket_timeout=LIMIT / 2,
        retry=Retry(NoBackoff(), 0),
    )


def _amqp(url: str) -> tuple[str, str]:
    from kombu import Connection as Broker  # where RabbitMQ is the broker

    with Broker(url, connect_timeout=LIMIT) as connection:
        connection.connect()
    return "ok", ""
