"""The rules of deploy/varnish/default.vcl, each through the real Varnish."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from scripts.servers.varnish import INSTALL, Varnish, find_varnish
from tests.server.varnish.origin import Origin, running
from tests.stack import IN_CI

PUBLIC = {"Cache-Control": "public, max-age=60"}
TOKEN = {"Edge-Token": "a-token-of-tests"}
NAIVE = (Path(__file__).parent / "naive.vcl").read_text()

if not IN_CI and find_varnish() is None:
    pytest.skip(f"Varnish is not installed: {INSTALL}", allow_module_level=True)


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: str


def ask(edge: Varnish, path: str, method: str = "GET", **headers: str) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", edge.port, timeout=20)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, headers={"Host": "edge.test", **named})
    response = connection.getresponse()
    answer = Answer(response.status, response.headers, response.read().decode())
    connection.close()
    return answer


def purge(edge: Varnish, path: str = "/", **headers: str) -> int:
    return ask(edge, path, "PURGE", **headers).status


def wait_for(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.2)


@pytest.fixture(scope="module")
def origin_of_module() -> Iterator[Origin]:
    with running() as origin:
        yield origin


@pytest.fixture(scope="module")
def edge(origin_of_module: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Varnish]:
    directory = tmp_path_factory.mktemp("edge")
    with Varnish(directory, origin_of_module.port, token=TOKEN["Edge-Token"]) as server:
        yield server


@pytest.fixture
def origin(origin_of_module: Origin) -> Origin:
    origin_of_module.status, origin_of_module.headers = 200, dict(PUBLIC)
    return origin_of_module


def test_public_is_kept_and_says_so(edge: Varnish, origin: Origin) -> None:
    first, second = ask(edge, "/kept"), ask(edge, "/kept", Cookie="sessionid=1")
    assert first.body == second.body
    assert (first.headers["X-Cache"], second.headers["X-Cache"]) == ("miss", "hit")
    assert second.headers["Age"] is not None
    head = ask(edge, "/kept", "HEAD")
    assert (head.status, head.body, head.headers["X-Cache"]) == (200, "", "hit")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Cache-Control": "private, max-age=60"},
        {"Cache-Control": "no-store"},
        {"Cache-Control": "max-age=60"},
        {**PUBLIC, "Set-Cookie": "sessionid={n}"},
        {**PUBLIC, "Vary": "Accept, Cookie"},
        {**PUBLIC, "Vary": "Authorization"},
    ],
)
def test_what_is_not_everybodys_is_never_kept(
    edge: Varnish, origin: Origin, headers: dict[str, str]
) -> None:
    origin.headers = headers
    path = f"/one/{len(origin.requests)}"
    assert ask(edge, path).body != ask(edge, path).body


def test_a_failure_is_never_kept(edge: Varnish, origin: Origin) -> None:
    origin.status = 500
    assert ask(edge, "/failing").status == 500
    origin.status = 200
    assert ask(edge, "/failing").status == 200


def test_a_page_that_becomes_public_is_kept_at_once(edge: Varnish, origin: Origin) -> None:
    origin.headers = {"Cache-Control": "no-store"}
    ask(edge, "/becomes")
    origin.headers = dict(PUBLIC)
    assert ask(edge, "/becomes").body == ask(edge, "/becomes").body


@pytest.mark.parametrize(("method", "headers"), [("POST", {}), ("GET", {"Authorization": "x"})])
def test_others_pass(edge: Varnish, origin: Origin, method: str, headers: dict[str, str]) -> None:
    kept = ask(edge, "/pass").body
    assert ask(edge, "/pass", method, **headers).body != kept
    assert ask(edge, "/pass").body == kept


def test_a_campaign_and_the_order_of_parameters_make_no_copy(edge: Varnish, origin: Origin) -> None:
    kept = ask(edge, "/query?a=1&b=2").body
    assert ask(edge, "/query?utm_source=x&b=2&fbclid=y&a=1").body == kept
    assert ask(edge, "/query?a=1&b=3").body != kept


def test_a_purge_by_url(edge: Varnish, origin: Origin) -> None:
    kept = ask(edge, "/purged").body
    assert purge(edge, "/purged", **TOKEN) == 200
    assert ask(edge, "/purged").body != kept


def test_a_purge_by_tag_and_nothing_else(edge: Varnish, origin: Origin) -> None:
    origin.headers = {**PUBLIC, "Edge-Tags": ",item:1,items,"}
    one = ask(edge, "/tag/1")
    origin.headers = {**PUBLIC, "Edge-Tags": ",item:11,"}
    other = ask(edge, "/tag/11")
    assert "Edge-Tags" not in one.headers
    assert purge(edge, **TOKEN, **{"Edge-Purge-Tags": "item:1,item:2"}) == 200
    assert ask(edge, "/tag/1").body != one.body
    assert ask(edge, "/tag/11").body == other.body


@pytest.mark.parametrize(
    "headers",
    [{}, {"Edge-Token": "wrong"}, {"Edge-Token": ""}, {**TOKEN, "X-Forwarded-For": "192.0.2.1"}],
)
def test_a_stranger_purges_nothing(edge: Varnish, origin: Origin, headers: dict[str, str]) -> None:
    kept = ask(edge, "/safe").body
    assert purge(edge, "/safe", **headers) == 403
    assert ask(edge, "/safe").body == kept


def test_a_tag_is_no_expression(edge: Varnish) -> None:
    assert purge(edge, **TOKEN, **{"Edge-Purge-Tags": ".*"}) == 400


def test_the_address_must_be_of_the_list(origin: Origin, tmp_path: Path) -> None:
    changes = {'"127.0.0.1";\n    "::1"': '"192.0.2.1"'}
    with Varnish(tmp_path, origin.port, token="t", changes=changes) as edge:
        assert purge(edge, Edge_Token="t") == 403


def test_without_a_token_nobody_purges(origin: Origin, tmp_path: Path) -> None:
    with Varnish(tmp_path, origin.port) as edge:
        assert purge(edge, Edge_Token="") == 403


def test_stale_is_served_while_it_is_asked_for(edge: Varnish, origin: Origin) -> None:
    origin.headers = {"Cache-Control": "public, max-age=1, stale-while-revalidate=60"}
    kept = ask(edge, "/stale").body
    time.sleep(1.5)
    assert ask(edge, "/stale").body == kept
    wait_for(lambda: ask(edge, "/stale").body != kept)


def test_without_permission_stale_is_not_served_by_a_living_application(
    edge: Varnish, origin: Origin
) -> None:
    origin.headers = {"Cache-Control": "public, max-age=1"}
    kept = ask(edge, "/fresh").body
    time.sleep(1.5)
    assert ask(edge, "/fresh").body != kept


def test_a_failing_application_leaves_the_copy(edge: Varnish, origin: Origin) -> None:
    origin.headers = {"Cache-Control": "public, max-age=1"}
    kept = ask(edge, "/copy").body
    time.sleep(1.5)
    origin.status = 500
    for _ in range(3):  # the first failure must not take its place
        answer = ask(edge, "/copy")
        assert (answer.status, answer.body) == (200, kept)


def test_a_dead_application_and_its_pages(tmp_path: Path) -> None:
    with running() as origin, Varnish(tmp_path, origin.port) as edge:
        origin.headers = {"Cache-Control": "public, max-age=1"}
        kept = ask(edge, "/page").body
        origin.die()
        time.sleep(2.5)
        page, api, other = ask(edge, "/page"), ask(edge, "/api/x"), ask(edge, "/other")
    assert (page.status, page.body) == (200, kept)
    assert int(page.headers["Age"]) > 1
    assert (other.status, other.headers["Retry-After"]) == (503, "10")
    assert "<style>" in other.body
    assert other.headers["X-Request-ID"]
    assert (api.status, api.headers["Content-Type"]) == (503, "application/problem+json")


def sessions_of_three(edge: Varnish, path: str) -> set[str]:
    return {ask(edge, path).headers["Set-Cookie"] for _ in range(3)}


def test_three_visitors_get_three_sessions(edge: Varnish, origin: Origin) -> None:
    origin.headers = {**PUBLIC, "Set-Cookie": "sessionid={n}"}
    assert len(sessions_of_three(edge, "/session")) == 3


def test_the_naive_edge_gives_three_visitors_one_session(origin: Origin, tmp_path: Path) -> None:
    origin.headers = {"Set-Cookie": "sessionid={n}"}
    with Varnish(tmp_path, origin.port, text=NAIVE) as naive:
        assert len(sessions_of_three(naive, "/session")) == 1


def test_the_edge_answers_seven_in_ten_of_an_ordinary_day(edge: Varnish, origin: Origin) -> None:
    before, visitors, read, pages = len(origin.requests), 10, 8, 12
    for visitor in range(visitors):
        for page in range(read):  # each by a link from somewhere
            origin.headers = dict(PUBLIC)
            path = f"/day/{(visitor + page) % pages}?utm_source={visitor}"
            ask(edge, path, Cookie=f"s={visitor}")
        origin.headers = {"Cache-Control": "no-store"}
        ask(edge, "/day/mine", Cookie=f"s={visitor}")
    assert 1 - (len(origin.requests) - before) / (visitors * (read + 1)) >= 0.7
