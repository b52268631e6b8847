"""What `/__heartbeat__` says of real servers."""

from __future__ import annotations

import time

import pytest
from psycopg import OperationalError
from psycopg.conninfo import make_conninfo
from redis import RedisError

from config.probes import worker_probes
from core.health import services
from core.probes.answers import HEARTBEAT
from scripts.servers import Postgres, Stack, Valkey

pytestmark = pytest.mark.usefixtures("django_db_setup")


def test_a_complete_service_is_well() -> None:
    heartbeat = worker_probes().find(HEARTBEAT)
    assert heartbeat
    answer = heartbeat()

    assert answer.status == 200
    assert b'"status": "ok"' in answer.body


def test_a_broker_that_may_evict_is_an_error(servers: Stack) -> None:
    assert servers.cache
    assert servers.broker

    assert services.broker(servers.broker.url)() == ("ok", "")
    status, reason = services.broker(servers.cache.url)()
    assert status == "error"
    assert "allkeys-lru" in reason


@pytest.mark.parametrize("fault", ["kill", "freeze"])
def test_a_cache_that_is_dead_or_frozen_is_an_error_within_the_limit(
    cache_server: Valkey, fault: str
) -> None:
    getattr(cache_server, fault)()
    seconds = []
    for _ in range(3):
        started = time.monotonic()
        with pytest.raises(RedisError):
            services.cache(cache_server.url)()
        seconds.append(time.monotonic() - started)
    assert min(seconds) < services.LIMIT, seconds  # a busy machine only adds to it


def test_an_unapplied_migration_is_a_warning_and_one_of_newer_code_is_nothing(
    postgres: Postgres,
) -> None:
    info = make_conninfo(postgres.url("app"))

    assert services.migrations(info, lambda: {"users.0001_initial"})() == ("ok", "")
    unapplied = services.migrations(info, lambda: {"users.0001_initial", "users.9999_later"})
    assert unapplied() == ("warning", "1 unapplied, run migrate")


def test_a_database_without_tables_is_an_error_of_the_migrations_alone(postgres: Postgres) -> None:
    info = make_conninfo(postgres.url("app"), dbname="postgres")

    assert services.database(info)() == ("ok", "")
    with pytest.raises(OperationalError):
        services.migrations(info, lambda: {"users.0001_initial"})()
