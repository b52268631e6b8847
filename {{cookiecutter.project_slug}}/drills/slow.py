"""Clients that take their time: each holds a connection open with as little as keeps it so."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from drills.load import HEADERS
from scripts.servers import HOST

# Seconds between two bytes of each, far below every timeout of a proxy.
PAUSE = 0.5
_LINES = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
# Of three kinds: the header never ends, nor the body, and what is sent is never read.
_BEGINNINGS = (
    f"GET /api/drill/read/ HTTP/1.1\r\n{_LINES}X-Slow: ",
    (
        f"POST /api/drill/orders/ HTTP/1.1\r\n{_LINES}X-Forwarded-For: %s\r\n"
        "Idempotency-Key: slow\r\nContent-Length: 100000\r\n\r\n"
    ),
    f"GET /api/drill/large/ HTTP/1.1\r\n{_LINES}X-Forwarded-For: %s\r\n\r\n",
)


@contextmanager
def clients(port: int, count: int) -> Iterator[None]:
    """`count` of them at `port` while the block runs, a third of each kind, each of an address."""
    ended = threading.Event()
    with ExitStack() as opened:
        begun = itertools.cycle(_BEGINNINGS)
        sending: list[socket.socket] = []
        reading: list[socket.socket] = []
        for number in range(count):
            kind = next(begun)
            connection = opened.enter_context(socket.create_connection((HOST, port), timeout=5))
            address = f"198.51.100.{number % 250 + 1}"
            connection.sendall((kind % address if "%s" in kind else kind).encode())
            (reading if "large" in kind else sending).append(connection)
        thread = threading.Thread(target=_drip, args=(sending, ended))
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def _drip(connections: list[socket.socket], ended: threading.Event) -> None:
    while not ended.wait(PAUSE):
        for one in connections:
            with suppress(OSError):  # it was cut off, as it should be
                one.sendall(b"x")
