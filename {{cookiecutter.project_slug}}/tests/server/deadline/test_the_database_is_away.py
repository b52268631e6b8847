"""An outage of the database is 503 and one line, for every kind of view; a bug stays a 500."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse
from typing import Any

import pytest

from scripts.servers import PgBouncer, Postgres
from tests.server.conftest import StartRole
from tests.server.roles import Role

APPLICATION = "tests.testapp.patient:application"


@pytest.fixture
def web(start_role: StartRole) -> Iterator[Role]:
    """Each thread has had a connection before the fault."""
    with start_role("web", APPLICATION, env={"WEB_CONCURRENCY": "1", "THREADS": "2"}) as web:
        web.wait_until(lambda: web.get("/row/")[0].status == 200, 10)
        yield web


def run(web: Role, sql: str) -> tuple[HTTPResponse, dict[str, Any]]:
    headers = {"Content-Type": "application/json"}
    body = json.dumps({"sql": sql})
    response, answer = web.request("POST", "/api/test/query/", body=body, headers=headers)
    return response, json.loads(answer)


def told(web: Role, response: HTTPResponse) -> dict[str, Any]:
    """The only line about the request besides its own."""
    request_id = response.getheader("X-Request-ID")
    web.wait_for_line(lambda line: f'"{request_id}"' in line and '"logger":"request"' in line)
    lines = [line for line in web.logs if line.get("request_id") == request_id]
    [outage] = [line for line in lines if line["logger"] != "request"]
    assert outage["level"] == "error"
    assert "exception" not in outage
    return outage


def every_kind_of_view_answers_503(web: Role) -> None:
    for path in ("/row/", "/remember/"):
        response, body = web.get(path)
        assert response.status == 503, path
        assert response.getheader("Content-Type", "").startswith("text/html")
        assert response.getheader("Retry-After") == "5"
        assert told(web, response)["message"] == "database unavailable"

    response, body = web.get("/api/test/row/")
    is_problem(response, json.loads(body), "unavailable")
    assert told(web, response)["at"].startswith("tests/testapp/waiting.py:")

    response, answer = run(web, "SELECT 1")
    is_problem(response, answer, "unavailable")
    assert told(web, response)["reason"]


def is_problem(response: HTTPResponse, body: dict[str, Any], code: str) -> None:
    assert response.status == 503, body
    assert response.getheader("Content-Type") == "application/problem+json"
    assert response.getheader("Retry-After") == "5"
    assert (body["status"], body["code"]) == (503, code)
    assert body["request_id"] == response.getheader("X-Request-ID")


def recovers(web: Role) -> None:
    web.wait_until(lambda: web.get("/row/")[0].status == 200, 10)


def test_postgresql_is_dead(web: Role, postgres: Postgres) -> None:
    postgres.kill()
    every_kind_of_view_answers_503(web)
    postgres.start()
    recovers(web)


def test_the_pooler_is_dead(web: Role, pgbouncer: PgBouncer) -> None:
    pgbouncer.kill()
    every_kind_of_view_answers_503(web)
    pgbouncer.start()
    recovers(web)


def test_postgresql_is_frozen_and_the_pooler_says_so(web: Role, postgres: Postgres) -> None:
    postgres.freeze()
    started = time.monotonic()
    response, _ = web.get("/row/", timeout=30)
    assert response.status == 503
    assert 3 < time.monotonic() - started < 12  # 3 in the queue or 7 for the query, and not 25
    assert told(web, response)["message"] == "database unavailable"
    postgres.thaw()
    recovers(web)


def test_a_connection_is_cut_in_the_middle_of_a_query(web: Role, postgres: Postgres) -> None:
    cut = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE query = 'SELECT pg_sleep(4)' AND state = 'active'"
    )
    with ThreadPoolExecutor(1) as client:
        asked = client.submit(run, web, "SELECT pg_sleep(4)")
        web.wait_until(lambda: postgres.psql(cut) == "t", 4)
        response, body = asked.result()
    is_problem(response, body, "unavailable")
    recovers(web)


def test_a_statement_over_its_own_limit_has_a_line_of_its_own(web: Role) -> None:
    response, body = run(web, "SELECT pg_sleep(60)")
    is_problem(response, body, "timeout")
    line = told(web, response)
    assert (line["message"], line["sqlstate"]) == ("statement timed out", "57014")
    assert line["at"].startswith("tests/testapp/waiting.py:")
    recovers(web)


@pytest.mark.parametrize(
    "sql", ["SELECT nonsense", "INSERT INTO django_migrations (app) VALUES (NULL)", "SELECT 1/0"]
)
def test_a_bug_is_500_with_its_traceback(web: Role, sql: str) -> None:
    response, body = run(web, sql)
    assert (response.status, body["code"]) == (500, "error")
    request_id = str(response.getheader("X-Request-ID"))
    # Awaited: the answer may be here before the line is read.
    web.wait_for_line(lambda line: request_id in line and "exception" in json.loads(line))
