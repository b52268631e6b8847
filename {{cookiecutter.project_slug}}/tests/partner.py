"""Somebody else's HTTP server on 127.0.0.1, as bad as it is asked to be, that counts its requests.

`/hang` answers nothing, `/drip` a byte of its body every 50 ms for ever, `/slow-head` one of its
header, `/reset` closes after it has read, `/status/503` is that status, `/away` a redirect to
`/ok`, and anything else is 200 with what arrived.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

PACE = 0.05  # seconds between two bytes of a drip


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Partner

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append(f"{self.command} {self.path}")
        _, kind, *rest = self.path.split("/")
        if self.server.is_down:
            self.server.refused.append((dict(self.headers), body))
            self.send_error(503)
        elif kind == "hang":
            self.server.ended.wait()
        elif kind == "reset":
            self.close_connection = True
        elif kind == "drip":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            self._drip()
        elif kind == "slow-head":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            self._drip()
        elif kind == "status":
            self.send_error(int(rest[0]))
        elif kind == "away":
            self._answer(302, b"", Location="/ok")
        else:
            seen = {"headers": dict(self.headers), "body": body.decode()}
            self.server.taken.append((dict(self.headers), body))
            self._answer(200, json.dumps(seen).encode())

    do_POST = do_PUT = do_GET  # noqa: N815 - the names of http.server

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _drip(self) -> None:
        self.close_connection = True
        while not self.server.ended.wait(PACE):
            self.wfile.write(b"x")

    def log_message(self, *_: object) -> None:
        pass


class Partner(ThreadingHTTPServer):
    """`seen` is "GET /path" for each request, `taken` what came with those that were answered 200.

    `is_down` answers all of them with 503; what came with those is in `refused`.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[str] = []
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self.refused: list[tuple[dict[str, str], bytes]] = []
        self.is_down = False
        self.ended = threading.Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def handle_error(self, *_: object) -> None:
        """A client that left before its answer is what these tests are about."""

    @contextmanager
    def running(self) -> Iterator[Self]:
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self.ended.set()
            self.shutdown()
            thread.join()
            self.server_close()
