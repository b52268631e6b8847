"""The streaming process: what hangs is cancelled, what is one too many is refused."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse, IncompleteRead

import pytest

from scripts.servers import HOST, Postgres
from tests.server.conftest import StartRole, StartStreams
from tests.server.roles import Running
from tests.server.test_probes import metric, status

DEADLINE, IDLE, TOTAL = 2.0, 2.0, 5.0  # of tests/testapp/streams.py
HEADERS = {"Host": "service.test", "X-Forwarded-Proto": "https"}
HEAD = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())


@contextmanager
def opened(streams: Running, path: str) -> Iterator[HTTPResponse]:
    connection = HTTPConnection(HOST, streams.port, timeout=20)
    try:
        connection.request("GET", path, headers=HEADERS)
        yield connection.getresponse()
    finally:
        connection.close()


def test_an_await_that_hangs_is_503_at_the_deadline(start_streams: StartStreams) -> None:
    with start_streams() as streams:
        started = time.monotonic()
        response, body = streams.get("/stream/hang/", timeout=20)
        assert DEADLINE - 0.1 < time.monotonic() - started < DEADLINE + 1.5
        problem = json.loads(body)
        assert response.status == 503
        assert response.getheader("Retry-After") == "5"
        assert response.getheader("Content-Type") == "application/problem+json"
        assert (problem["code"], problem["instance"]) == ("timeout", "/stream/hang/")
        line = json.loads(streams.wait_for_line("deadline exceeded"))
        assert line["request_id"] == problem["request_id"]


def test_a_stream_outlives_the_deadline_of_requests_and_ends_in_order(
    start_streams: StartStreams,
) -> None:
    with start_streams() as streams, opened(streams, "/stream/events/0.5/") as response:
        started = time.monotonic()
        body = response.read()
        seconds = time.monotonic() - started
        assert max(DEADLINE, TOTAL - 1) < seconds < TOTAL + 1.5
        assert body.count(b"data:") >= 8
        line = json.loads(streams.wait_for_line("stream ended"))
        assert (line["reason"], line["path"]) == ("longer than 5 s", "/stream/events/0.5/")
        streams.wait_until(lambda: metric(streams, "service_requests_running") == 0, 3)


def test_a_silent_stream_is_cut_off(start_streams: StartStreams) -> None:
    with start_streams() as streams, opened(streams, "/stream/events/60/") as response:
        started = time.monotonic()
        with pytest.raises(IncompleteRead):
            response.read()
        assert IDLE - 0.5 < time.monotonic() - started < IDLE + 1.5
        assert '"idle for 2 s"' in streams.wait_for_line("stream ended")


def test_a_client_that_does_not_read_is_cut_off(start_streams: StartStreams) -> None:
    with start_streams() as streams, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect((HOST, streams.port))
        client.sendall(f"GET /stream/flood/ HTTP/1.1\r\n{HEAD}\r\n".encode())
        assert '"idle for 2 s"' in streams.wait_for_line("stream ended")
        streams.wait_until(lambda: metric(streams, "service_requests_running") == 0, 3)


def test_a_body_that_does_not_arrive_is_408(start_streams: StartStreams) -> None:
    with start_streams() as streams, socket.create_connection((HOST, streams.port), 30) as client:
        client.sendall(
            f"POST /stream/length/ HTTP/1.1\r\n{HEAD}Content-Length: 9\r\n\r\n1".encode()
        )
        response = HTTPResponse(client)
        response.begin()
        assert response.status == 408
        assert json.loads(response.read())["code"] == "timeout"


def test_one_stream_too_many_is_503_at_once_and_probes_are_not(
    start_streams: StartStreams,
) -> None:
    with (
        start_streams({"MAX_STREAMS": "3"}) as streams,
        ThreadPoolExecutor(3) as clients,
        opened(streams, "/stream/events/0.5/") as first,
        opened(streams, "/stream/events/0.5/"),
        opened(streams, "/stream/events/0.5/"),
    ):
        started = time.monotonic()
        refused = [streams.get("/stream/loop/") for _ in range(20)]
        assert time.monotonic() - started < 1.5
        assert {response.status for response, _ in refused} == {503}
        response, body = refused[0]
        assert response.getheader("Retry-After") == "5"
        assert json.loads(body)["code"] == "unavailable"
        assert {status(streams, "/livez", port=streams.port) for _ in range(20)} == {200}
        assert status(streams, "/readyz", port=streams.port) == 200
        assert sum("refused, too many" in line for line in streams.lines) <= 2

        first.close()
        clients.submit(first.read)
        streams.wait_until(lambda: streams.get("/stream/loop/")[0].status == 200, TOTAL + 2)


def test_streams_that_wait_hold_no_connection(start_streams: StartStreams) -> None:
    """Eight streams and a pool of two: each queries between its pauses."""
    with start_streams({"THREADS": "2"}) as streams, ThreadPoolExecutor(8) as clients:
        asked = [clients.submit(streams.get, "/stream/events/1/", timeout=20) for _ in range(8)]
        bodies = [each.result()[1] for each in asked]
        assert min(body.count(b"data:") for body in bodies) >= 4
        assert not any('"level":"error"' in line for line in streams.lines)


def test_the_database_is_away_from_the_streaming_process(
    start_streams: StartStreams, postgres: Postgres
) -> None:
    with start_streams() as streams:
        assert streams.get("/stream/loop/")[0].status == 200
        postgres.kill()
        for path in ("/stream/loop/", "/stream/thread/"):
            response, body = streams.get(path, timeout=20)
            assert response.status == 503
            assert json.loads(body)["code"] in ("unavailable", "timeout")
        postgres.start()
        streams.wait_until(lambda: streams.get("/stream/loop/")[0].status == 200, 15)


def test_each_process_serves_its_own_paths_and_no_others(start_role: StartRole) -> None:
    with start_role("asgi") as asgi:
        for path in ("/", "/admin/", "/admin", "/api/v1/session/", "/static/x.css", "/stream/"):
            response, _ = asgi.get(path, headers={"Host": "service.test"})
            assert response.status == 404, path
            assert response.getheader("Location") is None
        response, body = asgi.get("/stream/nothing")
        assert response.getheader("Content-Type") == "application/problem+json"
        assert json.loads(body)["code"] == "not_found"
    with start_role("web") as web:
        assert web.get("/stream/")[0].status == 404
        assert web.get("/stream/nothing/")[0].status == 404
