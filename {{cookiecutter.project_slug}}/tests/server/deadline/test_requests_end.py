"""Whatever a request waits for, it is answered within a second of its deadline."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator

import pytest

from scripts.servers import HOST, PgBouncer, Postgres
from tests.server.conftest import StartRole
from tests.server.roles import Role

DEADLINE = 2.0  # of tests/testapp/waiting.py

APPLICATION = "tests.testapp.waiting:application"


@pytest.fixture
def web(start_role: StartRole) -> Iterator[Role]:
    # One thread, so that a test's requests share one connection: what they wait for is an answer.
    with start_role("web", APPLICATION, env={"WEB_CONCURRENCY": "1", "THREADS": "1"}) as web:
        assert web.get("/row/")[0].status == 200
        yield web


@pytest.fixture
def hanging() -> Iterator[str]:
    """The address of a system that takes calls and never answers."""
    with socket.create_server((HOST, 0)) as listener:
        yield f"http://{HOST}:{listener.getsockname()[1]}/"


def ends_in_time(web: Role, path: str) -> None:
    """503 at the deadline, to be tried again, with a line that says why."""
    started = time.monotonic()
    response, _ = web.get(path, timeout=30)
    seconds = time.monotonic() - started
    assert response.status == 503
    assert response.getheader("Retry-After") == "5"
    assert DEADLINE - 0.1 < seconds < DEADLINE + 1.5, seconds
    line = json.loads(web.wait_for_line("deadline exceeded"))
    assert line["level"] == "error"
    assert line["request_id"] == response.getheader("X-Request-ID")
    assert line["at"].startswith("tests/testapp/waiting.py:")
    assert "exception" not in line


def test_a_query_that_sleeps(web: Role, postgres: Postgres) -> None:
    ends_in_time(web, "/slow-query/")
    assert web.get("/row/")[0].status == 200


def test_many_queries_none_of_which_is_slow(web: Role) -> None:
    ends_in_time(web, "/many-queries/")


def test_a_frozen_database(web: Role, postgres: Postgres) -> None:
    postgres.freeze()
    ends_in_time(web, "/row/")
    postgres.thaw()
    web.wait_until(lambda: web.get("/row/")[0].status == 200, 10)


def test_a_frozen_pooler(web: Role, pgbouncer: PgBouncer) -> None:
    pgbouncer.freeze()
    ends_in_time(web, "/row/")
    pgbouncer.thaw()
    web.wait_until(lambda: web.get("/row/")[0].status == 200, 10)


def test_an_upstream_that_hangs(web: Role, hanging: str) -> None:
    ends_in_time(web, f"/upstream/?url={hanging}")


def test_nothing_of_a_half_done_transaction_is_left(web: Role, postgres: Postgres) -> None:
    ends_in_time(web, "/half-done/late/")
    count = "SELECT count(*) FROM django_session WHERE session_key = 'late'"
    assert postgres.psql(count, database="server_tests") == "0"


def test_the_connection_of_a_request_that_ran_out_of_time_is_used_again(
    start_role: StartRole, postgres: Postgres
) -> None:
    """No statement was running on it: it is whole."""
    direct = {"DATABASE_URL": postgres.url("app", database="server_tests")}
    one = {"WEB_CONCURRENCY": "1", "THREADS": "1"}
    with start_role("web", APPLICATION, env={**direct, **one}) as web:
        _, before = web.get("/row/")
        ends_in_time(web, "/half-done/again/")
        assert web.get("/row/")[1] == before
