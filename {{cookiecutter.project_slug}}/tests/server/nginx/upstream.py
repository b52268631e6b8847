"""A process behind the proxy that fails as it is told, which gunicorn does not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from scripts.servers import HOST

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


class Upstream:
    """Answers each request with `answer`, b"" for a connection that ends without one.

    `requests` are those that arrived, as "GET /path".
    """

    def __init__(self, answer: bytes = GOOD) -> None:
        self.answer = answer
        self.requests: list[str] = []
        self._listener = socket.create_server((HOST, 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                request = b""
                while b"\r\n\r\n" not in request and (part := connection.recv(65536)):
                    request += part
                if request:
                    self.requests.append(" ".join(request.decode().split(" ")[:2]))
                    connection.sendall(self.answer)


@contextmanager
def upstreams(*answers: bytes) -> Iterator[list[Upstream]]:
    started = [Upstream(answer) for answer in answers]
    try:
        yield started
    finally:
        for one in started:
            one.close()
