"""A call to somebody else ends in time, is repeated when that helps, and stops when it does not."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest

from core import deadline, outbound
from core.outbound import breaker, calls, retries
from core.requests.context import bind_request_id, clear_context
from tests.integration.outbound.conftest import Ask
from tests.partner import Partner

# Of a call in these tests, instead of 5; and what a busy machine may add.
TOTAL, SLACK = 0.5, 0.5


@contextmanager
def takes(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert seconds * 0.9 <= time.monotonic() - began < seconds + SLACK


@pytest.mark.parametrize("path", ["/hang", "/drip", "/slow-head"])
def test_a_call_ends_when_its_time_is_up_however_its_answer_comes(ask: Ask, path: str) -> None:
    with takes(TOTAL), pytest.raises(httpx2.TimeoutException):
        ask("GET", path, total=TOTAL)


def test_a_request_gives_its_calls_no_more_time_than_it_has_left(ask: Ask) -> None:
    with deadline.budget(TOTAL), takes(TOTAL), pytest.raises(httpx2.TimeoutException):
        ask("GET", "/hang", total=20.0)


def test_connecting_to_a_host_that_drops_packets_ends_in_time(ask: Ask) -> None:
    full = socket.create_server(("127.0.0.1", 0), backlog=0)
    waiting = []
    try:
        for _ in range(4):  # what the kernel takes beyond the backlog; the next SYN is dropped
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(full.getsockname())
            waiting.append(client)
        url = f"http://127.0.0.1:{full.getsockname()[1]}/"
        with takes(TOTAL), pytest.raises(httpx2.ConnectTimeout):
            ask("GET", url, total=TOTAL, retries=0)
    finally:
        for each in (*waiting, full):
            each.close()


@pytest.mark.parametrize(
    ("method", "path", "headers", "sent"),
    [
        ("GET", "/status/503", {}, 3),
        ("PUT", "/status/502", {}, 3),
        ("GET", "/reset", {}, 3),
        ("POST", "/status/503", {"Idempotency-Key": "one"}, 3),
        ("POST", "/status/503", {}, 1),
        ("POST", "/reset", {}, 1),
        ("GET", "/status/500", {}, 1),
        ("GET", "/status/404", {}, 1),
        ("GET", "/ok", {}, 1),
    ],
)
def test_what_can_do_no_harm_and_may_help_is_sent_again_twice(
    ask: Ask, partner: Partner, method: str, path: str, headers: dict[str, str], sent: int
) -> None:
    try:
        answer = ask(method, path, headers=headers, content=b"x")
    except httpx2.RemoteProtocolError:
        assert path == "/reset"
    else:
        assert str(answer.status_code) == (path.rpartition("/")[2] if "status" in path else "200")
    assert partner.seen == [f"{method} {path}"] * sent


def test_a_call_that_was_never_sent_is_made_again_whatever_its_method(
    ask: Ask, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A port where nobody listens, until somebody does.
    pauses: list[int] = []

    def pause(retry: int) -> float:
        pauses.append(retry)
        return 0.0

    monkeypatch.setattr(retries, "pause", pause)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/"
        with pytest.raises(httpx2.ConnectError):
            ask("POST", url, content=b"x")
    assert pauses == [0, 1, 2]  # the third is not made


def test_a_body_that_is_used_up_is_not_sent_again(partner: Partner) -> None:
    with outbound.client(base_url=partner.url) as client:
        assert client.put("/status/503", content=iter([b"x"])).status_code == 503
    assert partner.seen == ["PUT /status/503"]


def test_an_outage_is_met_by_a_budget_of_retries_and_not_by_three_times_the_calls(
    ask: Ask, partner: Partner
) -> None:
    calls.host(partner.url).breaker._limit = 1_000  # it would end the retries as well
    partner.is_down = True
    calls_made = 40
    for _ in range(calls_made):
        assert ask("GET", "/ok").status_code == 503
    assert calls_made < len(partner.seen) <= calls_made + retries.TOKENS / 2


def test_five_failures_open_the_breaker_and_one_call_in_a_pause_tries(
    ask: Ask, partner: Partner
) -> None:
    state = calls.host(partner.url).breaker
    state._pause = pause = 1.0
    partner.is_down = True
    for _ in range(breaker.FAILURES):
        assert ask("POST", "/ok").status_code == 503
    assert state.is_open
    for _ in range(5):
        with pytest.raises(outbound.CircuitOpenError, match="next try in"):
            ask("POST", "/ok")
    assert len(partner.seen) == breaker.FAILURES

    time.sleep(pause)
    assert ask("POST", "/ok").status_code == 503  # the trial
    with pytest.raises(outbound.CircuitOpenError):
        ask("POST", "/ok")
    partner.is_down = False
    time.sleep(pause)
    assert ask("POST", "/ok").status_code == 200
    assert ask("POST", "/ok").status_code == 200
    assert not state.is_open
    assert state.openings == 1


def test_a_mistake_of_the_caller_opens_no_breaker(ask: Ask, partner: Partner) -> None:
    for _ in range(breaker.FAILURES + 1):
        assert ask("POST", "/status/400").status_code == 400
    assert ask("GET", "/ok").status_code == 200


def test_a_redirect_is_an_answer_and_is_not_followed(ask: Ask, partner: Partner) -> None:
    assert ask("GET", "/away").status_code == 302
    assert partner.seen == ["GET /away"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "[::1]"])  # noqa: S104
def test_a_url_of_a_user_reaches_nothing_on_this_machine(
    ask: Ask, partner: Partner, host: str
) -> None:
    url = f"http://{host}:{partner.server_address[1]}/ok"
    with pytest.raises(outbound.AddressRefusedError, match="not a public address"):
        ask("GET", url, public_only=True)
    assert partner.seen == []


def test_a_call_says_which_service_and_which_request_it_comes_from(ask: Ask) -> None:
    bind_request_id("request-0001")
    try:
        headers = ask("GET", "/ok").json()["headers"]
    finally:
        clear_context()
    assert headers["User-Agent"].startswith("service/")
    assert headers["X-Request-ID"] == "request-0001"
