"""What the service needs: whether it answers, which version it is, how long a round trip takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.template.defaultfilters import filesizeformat
from redis.backoff import NoBackoff
from redis.retry import Retry

from apps.home.asking import ask_all
from apps.home.panels import DOWN, UP, WARNING, Cell, State, Table, describe
from core.health.database import Connection, conninfo

# Seconds for each of them; together they take no longer, and stay below the page's own limit.
LIMIT = 1.0


@dataclass(frozen=True, slots=True)
class Fact:
    """What a server said of itself; `seconds` is one round trip on an open connection."""

    what: str
    seconds: float
    problem: str = ""


def dependencies() -> Table:
    """One row for each server, asked side by side."""
    sources: dict[str, Callable[[], Fact]] = {
        "Database": database,
        "Cache": lambda: _redis(str(settings.CACHES["default"]["LOCATION"]), must_keep=False),
        "Broker": broker,
    }
    found = ask_all(sources, LIMIT)
    return Table(("Server", "Round trip", "State"), [_row(name, found[name]) for name in sources])


def _row(name: str, fact: Fact | Exception) -> list[Cell]:
    if isinstance(fact, Exception):
        return [Cell(name, describe(fact)), Cell(""), Cell(state=State(DOWN, "no answer"))]
    state = State(WARNING, fact.problem) if fact.problem else State(UP, "answers")
    return [Cell(name, fact.what), Cell(f"{fact.seconds * 1000:.1f} ms"), Cell(state=state)]


def database() -> Fact:
    """PostgreSQL, and whether a pooler stands before it."""
    with closing(Connection(conninfo(settings.DATABASES["default"]))) as connection:
        # A pooler gives its client a process number of its own.
        asked = "SELECT unnest(ARRAY[current_setting('server_version'), pg_backend_pid()::text])"
        version, backend = connection.ask(asked, LIMIT)
        started = time.perf_counter()
        [recovering] = connection.ask("SELECT pg_is_in_recovery()", LIMIT)
        seconds = time.perf_counter() - started
        through_a_pooler = backend != str(connection.backend_pid)
    name = "PostgreSQL " + version.split()[0] + (" through a pooler" if through_a_pooler else "")
    return Fact(name, seconds, "a replica" if recovering == "t" else "")


def broker() -> Fact:
    if urlsplit(settings.CELERY_BROKER_URL).scheme.startswith("redis"):
        return _redis(settings.CELERY_BROKER_URL, must_keep=True)
    from kombu import Connection as Broker  # where RabbitMQ is the broker

    started = time.perf_counter()
    with Broker(settings.CELERY_BROKER_URL, connect_timeout=LIMIT) as connection:
        connection.connect()
        told = connection.connection.server_properties
    return Fact(f"{told['product']} {told['version']}", time.perf_counter() - started)


def client(url: str) -> redis.Redis:
    """A connection that waits for LIMIT seconds at most, and tries once."""
    half = LIMIT / 2
    retry = Retry(NoBackoff(), 0)
    return redis.Redis.from_url(
        url, socket_connect_timeout=half, socket_timeout=half, retry=retry, decode_responses=True
    )


def _redis(url: str, *, must_keep: bool) -> Fact:
    """`must_keep`: whether it may not delete what it holds when its memory is full."""
    with client(url) as server:
        told: dict[str, Any] = server.info()
        started = time.perf_counter()
        server.ping()
        seconds = time.perf_counter() - started
    name = "Valkey" if "valkey_version" in told else "Redis"
    version = told.get("valkey_version") or told["redis_version"]
    keeps = told["maxmemory_policy"] == "noeviction"
    problem = "" if keeps or not must_keep else "deletes tasks when full: set noeviction"
    used = filesizeformat(told["used_memory"])
    return Fact(f"{name} {version}, {used} used", seconds, problem)
