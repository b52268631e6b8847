"""Sessions in PostgreSQL, read through a real cache that is flushed, killed and frozen."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import redis
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from scripts.servers import Valkey
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
URL = "/api/v1/session/"
JSON = "application/json"


@pytest.fixture
def inspector(cache_server: Valkey) -> Iterator[redis.Redis]:
    """A client of the cache's server that hides nothing."""
    with redis.Redis.from_url(cache_server.url) as client:
        yield client


@pytest.fixture
def logged_in() -> Client:
    user = UserFactory.create()
    client = Client(raise_request_exception=False)
    sent = {"email": user.email, "password": PASSWORD}
    assert client.post(URL, sent, JSON).status_code == 200
    return client


def is_logged_in(client: Client) -> bool:
    return client.get(URL).json()["user"] is not None


def session_queries(client: Client) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert is_logged_in(client)
    return sum("django_session" in query["sql"] for query in captured.captured_queries)


def test_a_warm_request_of_a_logged_in_user_asks_the_database_for_no_session(
    logged_in: Client, inspector: redis.Redis
) -> None:
    assert session_queries(logged_in) == 0
    inspector.flushall()
    # The control: cold, it is one query, which warms it again.
    assert session_queries(logged_in) == 1
    assert session_queries(logged_in) == 0


def test_a_flushed_cache_logs_nobody_out(logged_in: Client, inspector: redis.Redis) -> None:
    for _ in range(3):
        inspector.flushall()
        assert is_logged_in(logged_in)


def test_a_dead_cache_logs_nobody_out_and_gives_no_error(
    logged_in: Client, cache_server: Valkey
) -> None:
    cache_server.kill()
    statuses = []
    for _ in range(20):
        assert is_logged_in(logged_in)
        statuses.append(logged_in.get("/api/v1/nothing/").status_code)
        visitor = Client(raise_request_exception=False)
        statuses.append(visitor.get("/").status_code)
        statuses.append(visitor.get("/admin/login/").status_code)
    assert set(statuses) == {200, 404}


def test_without_the_cache_people_log_in_and_out(cache_server: Valkey) -> None:
    user = UserFactory.create()
    client = Client(raise_request_exception=False)
    cache_server.kill()
    sent = {"email": user.email, "password": PASSWORD}
    assert client.post(URL, sent, JSON).status_code == 200
    assert is_logged_in(client)
    cache_server.start()
    assert is_logged_in(client)
    cache_server.kill()
    assert client.delete(URL).status_code == 204
    assert not is_logged_in(client)
    cache_server.start()
    assert not is_logged_in(client)


def test_a_frozen_cache_costs_a_request_its_timeouts_and_nothing_more(
    logged_in: Client, cache_server: Valkey
) -> None:
    cache_server.freeze()
    for _ in range(3):
        began = time.monotonic()
        assert is_logged_in(logged_in)
        # A read and a write of the session, 0.5 s each; without the timeouts it is 5 s each.
        assert time.monotonic() - began < 2
    cache_server.thaw()
    assert is_logged_in(logged_in)


def test_every_key_in_the_cache_ends(logged_in: Client, inspector: redis.Redis) -> None:
    for path in ("/", URL, "/api/schema/", "/admin/login/", "/api/v1/nothing/"):
        logged_in.get(path)
    cache.set("plain", 1)
    cache.add("added", 1)
    cache.get_or_set("computed", lambda: 1)
    cache.set_many({"many": 1})
    cache.incr("plain")
    keys = list(inspector.scan_iter())
    assert len(keys) >= 5  # the session is one of them
    assert [key for key in keys if inspector.ttl(key) < 0] == []
