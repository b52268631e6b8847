"""One process behind is gone, or leaves in the middle of a request."""

from __future__ import annotations

import pytest

from scripts.servers import free_port
from tests.server.nginx.client import Client
from tests.server.nginx.conftest import StartProxy
from tests.server.nginx.upstream import GOOD, upstreams

NO_ANSWER = b""
SHED = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def test_nobody_notices_a_process_that_is_gone(start_proxy: StartProxy) -> None:
    with upstreams(GOOD) as [alive], start_proxy(web=[free_port(), alive.port]) as proxy:
        client = Client(proxy)
        # POST as well: a refused connection had nothing of it.
        for method in ("GET", "POST") * 10:
            assert client.ask("/", method).status == 200
        assert len(alive.requests) == 20


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_a_request_that_may_be_repeated_is(start_proxy: StartProxy, method: str) -> None:
    with (
        upstreams(NO_ANSWER, GOOD) as [dying, alive],
        start_proxy(web=[dying.port, alive.port]) as proxy,
    ):
        client = Client(proxy)
        assert [client.ask("/", method).status for _ in range(4)] == [200] * 4
        # max_fails=0: it was asked again and again, for it may be well by now.
        assert len(dying.requests) >= 2


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_what_may_have_had_its_effect_is_not_repeated(start_proxy: StartProxy, method: str) -> None:
    with (
        upstreams(NO_ANSWER, NO_ANSWER) as both,
        start_proxy(web=[one.port for one in both]) as proxy,
    ):
        assert Client(proxy).ask("/api/x/", method).status == 502
        assert sum(len(one.requests) for one in both) == 1


def test_tries_end_when_every_process_fails(start_proxy: StartProxy) -> None:
    with (
        upstreams(NO_ANSWER, NO_ANSWER, NO_ANSWER) as all_of_them,
        start_proxy(web=[one.port for one in all_of_them]) as proxy,
    ):
        assert Client(proxy).ask("/").status == 502
        assert sum(len(one.requests) for one in all_of_them) == 2


def test_load_that_was_shed_does_not_come_back_to_the_next_process(
    start_proxy: StartProxy,
) -> None:
    with upstreams(SHED, SHED) as both, start_proxy(web=[one.port for one in both]) as proxy:
        assert Client(proxy).ask("/").status == 503
        assert sum(len(one.requests) for one in both) == 1


def test_a_process_that_was_taken_out_is_asked_nothing_until_it_is_back(
    start_proxy: StartProxy,
) -> None:
    with upstreams(GOOD, GOOD) as [one, other], start_proxy(web=[one.port, other.port]) as proxy:
        client = Client(proxy)
        proxy.take_out(one.port)
        assert {client.ask("/").status for _ in range(4)} == {200}
        assert one.requests == []
        proxy.take_back(one.port)
        assert {client.ask("/").status for _ in range(4)} == {200}
        assert len(one.requests) == 2
