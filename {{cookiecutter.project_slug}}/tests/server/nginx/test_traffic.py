"""Buffers, streams, compressed and static files, and limits on what is slow or many."""

from __future__ import annotations

import gzip
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from scripts.servers import Nginx
from scripts.servers.nginx import MODULES
from tests.server.nginx.client import Client
from tests.server.nginx.conftest import STATIC, StartProxy
from tests.server.nginx.upstream import GOOD, upstreams
from tests.server.roles import Running

[CSS] = STATIC


def test_the_service_sees_a_body_only_when_it_is_whole(start_proxy: StartProxy) -> None:
    with upstreams(GOOD) as [behind], start_proxy(web=[behind.port]) as proxy:
        with Client(proxy).connect() as slow:
            slow.sendall(b"POST / HTTP/1.1\r\nHost: service.test\r\nContent-Length: 3\r\n\r\na")
            time.sleep(0.5)
            assert behind.requests == []
            slow.sendall(b"bc")
            assert slow.recv(100).startswith(b"HTTP/1.1 200")
        assert behind.requests == ["POST /"]


def test_a_reader_that_takes_nothing_holds_no_process(client: Client, web: Running) -> None:
    with client.connect() as idle:
        # Larger than the sockets' buffers between here and there.
        idle.sendall(b"GET /test/text/20000000/ HTTP/1.1\r\nHost: service.test\r\n\r\n")

        def is_over() -> bool:
            return any("/test/text/20000000/" in line for line in web.lines)

        web.wait_until(is_over, 15)
        # Every thread is free: more requests at once than the service has threads.
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: client.ask("/test/wait/300/").status, range(8)))
        assert answers == [200] * 8


def test_a_stream_is_sent_piece_by_piece(client: Client) -> None:
    with client.connect() as connection:
        began = time.monotonic()
        connection.sendall(b"GET /stream/events/1/ HTTP/1.1\r\nHost: service.test\r\n\r\n")
        received = b""
        while b"data: 0" not in received:
            received += connection.recv(4096)
        first = time.monotonic() - began
        while b"data: 1" not in received:
            received += connection.recv(4096)
        # The second comes a second later, so the first did not wait for it.
        assert time.monotonic() - began - first > 0.5


def test_a_page_is_compressed_for_who_takes_it_and_a_small_one_for_nobody(client: Client) -> None:
    takes = {"Accept-Encoding": "gzip"}
    answer = client.ask("/test/text/5000/", headers=takes)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.body) == b"a" * 5000
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert client.ask("/test/text/5000/").headers["Content-Encoding"] is None
    assert client.ask("/test/text/500/", headers=takes).headers["Content-Encoding"] is None


@pytest.mark.parametrize(
    ("accepted", "encoding"), [("br, gzip", "br"), ("gzip", "gzip"), ("identity", None)]
)
def test_a_static_file_is_sent_in_the_copy_that_the_client_takes(
    client: Client, accepted: str, encoding: str | None
) -> None:
    if encoding == "br" and not list(MODULES.glob("*brotli_static*")):
        pytest.skip("nginx is not installed with its module for Brotli")
    answer = client.ask(f"/static/{CSS}", headers={"Accept-Encoding": accepted})
    copies = {"br": b"the brotli copy", "gzip": b"the gzip copy", None: STATIC[CSS]}
    assert (answer.status, answer.body) == (200, copies[encoding])
    assert answer.headers["Content-Encoding"] == encoding
    assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Vary"] == "Accept-Encoding"


def test_a_static_file_that_is_not_here_is_asked_of_the_service(
    start_proxy: StartProxy,
) -> None:
    with upstreams(GOOD) as [behind], start_proxy(web=[behind.port]) as proxy:
        assert Client(proxy).ask("/static/none.0123456789ab.css").body == b"ok"
        assert behind.requests == ["GET /static/none.0123456789ab.css"]


def test_no_other_file_is_reached_by_the_path_of_static_files(client: Client) -> None:
    assert client.ask("/static/staticfiles.json").status == 404
    assert client.ask("/static/../__error/502.html").status == 404


def test_many_requests_of_one_address_at_once_are_refused(start_proxy: StartProxy) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        start_proxy(
            web=[silent.getsockname()[1]],
            replace={"limit_conn running 100": "limit_conn running 3"},
        ) as proxy,
    ):
        client = Client(proxy)
        waiting = [client.connect() for _ in range(3)]
        for one in waiting:
            one.sendall(b"GET / HTTP/1.1\r\nHost: service.test\r\n\r\n")
        proxy.process.wait_until(lambda: client.ask("/").status == 429, 5)
        for one in waiting:
            one.close()


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\nHost: service.test\r\n",
        b"POST / HTTP/1.1\r\nHost: service.test\r\nContent-Length: 9\r\n\r\nx",
    ],
    ids=["header", "body"],
)
def test_a_client_that_stops_in_the_middle_is_cut_off(start_proxy: StartProxy, said: bytes) -> None:
    shorter = {
        f"client_{what}_timeout 15s": f"client_{what}_timeout 1s" for what in ("header", "body")
    }
    with upstreams(GOOD) as [behind], start_proxy(web=[behind.port], replace=shorter) as proxy:
        with Client(proxy).connect(timeout=10) as slow:
            slow.sendall(said)
            # Reset, not closed: what nginx holds for it is given back at once.
            with pytest.raises(ConnectionResetError):
                slow.recv(1000)
        assert behind.requests == []


def test_a_line_of_the_log_says_where_the_time_went(client: Client, proxy: Nginx) -> None:
    ident = client.ask("/test/wait/200/").headers["X-Request-ID"]
    proxy.process.wait_until(lambda: ident in proxy.access_log.read_text(), 5)
    [line] = [line for line in proxy.access_log.read_text().splitlines() if ident in line]
    fields = json.loads(line)
    assert (fields["status"], fields["upstream_status"]) == ("200", "200")
    assert float(fields["seconds"]) >= float(fields["upstream_seconds"]) >= 0.2
    assert fields["client"] == client.address
    assert fields["path"] == "/test/wait/200/"
