"""Errors of nginx itself: the service's page for people, a problem for programs."""

from __future__ import annotations

import json
import socket

import pytest

from scripts.servers import free_port
from tests.server.nginx.client import Answer, Client
from tests.server.nginx.conftest import StartProxy

PREFIXES = ["/", "/api/", "/stream/"]


def told(answer: Answer, status: int, code: str, path: str) -> None:
    """Assert that `answer` is that error in our words, with the id of its request."""
    assert answer.status == status
    ident = answer.headers["X-Request-ID"]
    assert len(ident) == 32
    assert answer.headers["Cache-Control"] == "no-store"
    if path == "/":
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        page = answer.body.decode()
        assert f"Error {status}" in page
        assert f"<code>{ident}</code>" in page
    else:
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        problem = answer.json
        assert (problem["status"], problem["code"]) == (status, code)
        assert problem["request_id"] == ident


@pytest.mark.parametrize("path", PREFIXES)
def test_a_service_that_is_down_is_a_502_in_our_words(start_proxy: StartProxy, path: str) -> None:
    with start_proxy(web=[free_port(), free_port()]) as proxy:
        answer = Client(proxy).ask(path)
        told(answer, 502, "bad_gateway", path)
        assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("path", ["/", "/api/"])
def test_a_service_that_does_not_answer_in_time_is_a_504_in_our_words(
    start_proxy: StartProxy, path: str
) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        start_proxy(
            web=[silent.getsockname()[1]],
            replace={"proxy_read_timeout 35s": "proxy_read_timeout 1s"},
        ) as proxy,
    ):
        answer = Client(proxy).ask(path)
        told(answer, 504, "timeout", path)
        assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("path", ["/", "/api/"])
def test_a_body_that_is_too_large_is_refused_before_it_is_read(client: Client, path: str) -> None:
    answer = client.ask(path, "POST", headers={"Content-Length": str(2**30)})
    told(answer, 413, "too_large", path)


@pytest.mark.parametrize("path", ["/", "/api/"])
def test_an_address_that_is_too_long_is_refused(client: Client, path: str) -> None:
    # A page for programs, too: nginx stopped before it knew the address.
    told(client.ask(path + "x" * 9000), 414, "uri_too_long", "/")


@pytest.mark.parametrize("path", ["/", "/api/"])
def test_a_header_that_is_too_large_is_refused(client: Client, path: str) -> None:
    told(client.ask(path, headers={"Cookie": "x" * 20_000}), 431, "headers_too_large", path)


@pytest.mark.parametrize("path", ["/test/echo/", "/api/test/echo/"])
def test_a_burst_of_one_address_is_refused_and_others_are_served(
    start_proxy: StartProxy, path: str
) -> None:
    with start_proxy(web=[free_port()], replace={"burst=100": "burst=4"}) as proxy:
        greedy = Client(proxy)
        answers = [greedy.ask(path) for _ in range(15)]
        refused = [answer for answer in answers if answer.status == 429]
        assert refused
        told(refused[0], 429, "throttled", "/" if path == "/test/echo/" else path)
        assert refused[0].headers["Retry-After"] == "1"
        assert Client(proxy).ask(path).status == 502  # reached the service, which is down


def test_an_error_without_its_file_is_no_404(start_proxy: StartProxy) -> None:
    with start_proxy(web=[free_port()]) as proxy:
        (proxy.directory / "__error").unlink()
        assert Client(proxy).ask("/api/").status == 502


def test_the_log_names_the_request_and_not_the_page_of_its_error(start_proxy: StartProxy) -> None:
    with start_proxy(web=[free_port()]) as proxy:
        Client(proxy).ask("/api/x/?secret=1", "POST")
        proxy.process.wait_until(lambda: proxy.access_log.read_text().endswith("\n"), 5)
        line = json.loads(proxy.access_log.read_text())
    assert (line["method"], line["path"], line["status"]) == ("POST", "/api/x/", "502")


def test_an_error_of_the_service_passes_as_it_is(client: Client) -> None:
    answer = client.ask("/api/v1/nothing/")
    assert answer.status == 404
    assert answer.json["instance"] == "/api/v1/nothing/"  # ours has none


def test_nobody_reads_an_error_page_by_its_address(client: Client) -> None:
    assert client.ask("/__error/502.html").status == 404
