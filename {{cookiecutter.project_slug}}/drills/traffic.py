"""Connections of a balancer, which are kept, with reads short and long, and orders.

Each waits for its answer before it asks again. An order is sent
again with its Idempotency-Key when its answer was lost, as a client of such an API does; a read is
not, because nobody behind a browser does.
"""

from __future__ import annotations

import itertools
import json
import select
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from uuid import uuid4

from drills.load import HEADERS, PATIENCE, THINK, Answer
from scripts.servers import HOST

READ, LONG, ORDER = "/api/drill/read/", "/api/drill/read/?seconds=3", "/api/drill/orders/"
# What a client sends an order again for: nobody knows whether it had its effect.
UNKNOWN = {0, 502, 504}
# Sends of one order, and seconds between two.
SENDS, PAUSE = 8, 0.5


class Traffic:
    """`readers` come for `read` and `orderers` order, again and again; `long_readers` ask for what
    takes 3 s.

    `answers` are those of reads and the last ones of orders; `resent` counts the answers of orders
    that were lost.
    """

    def __init__(
        self,
        port: int,
        *,
        readers: int = 6,
        long_readers: int = 2,
        orderers: int = 2,
        read: str = READ,
    ) -> None:
        self._port = port
        self._path = read
        self._who: list[Callable[[_Client], None]] = [
            *[self._read] * readers,
            *[self._read_long] * long_readers,
            *[self._order] * orderers,
        ]
        self._ended = threading.Event()
        self.answers: list[Answer] = []
        self.promised: set[str] = set()
        self.resent = 0

    @contextmanager
    def running(self) -> Iterator[Traffic]:
        """Clients while the block runs; at its end each has had its answer."""
        with ThreadPoolExecutor(len(self._who)) as pool:
            running = [
                pool.submit(self._again_and_again, what, number)
                for number, what in enumerate(self._who)
            ]
            try:
                yield self
            finally:
                self._ended.set()
                for one in running:
                    one.result()

    def hold(self, seconds: float) -> None:
        """Go on for so long."""
        threading.Event().wait(seconds)

    def hold_until(self, count: int, seconds: float) -> None:
        """Go on until there are `count` answers, `seconds` at most."""
        deadline = time.monotonic() + seconds
        while len(self.answers) < count and time.monotonic() < deadline:
            self.hold(0.1)

    def _again_and_again(self, what: Callable[[_Client], None], number: int) -> None:
        client = _Client(self._port, number)
        while not self._ended.is_set():
            what(client)
            self._ended.wait(THINK)
        client.close()

    def _read(self, client: _Client) -> None:
        began = time.monotonic()
        self._note("", began, client.ask("GET", self._path))

    def _read_long(self, client: _Client) -> None:
        began = time.monotonic()
        self._note("", began, client.ask("GET", LONG))

    def _order(self, client: _Client) -> None:
        request_id, began = str(uuid4()), time.monotonic()
        body = json.dumps({"id": request_id})
        for _ in range(SENDS):
            status = client.ask("POST", ORDER, body, {"Idempotency-Key": request_id})
            # 409: the lost one is still being worked on.
            if status not in UNKNOWN | {409, 503}:
                break
            self.resent += 1
            time.sleep(PAUSE)
        if self._note(request_id, began, status).is_good:
            self.promised.add(request_id)

    def _note(self, request_id: str, began: float, status: int) -> Answer:
        answer = Answer(request_id, began, time.monotonic(), status)
        self.answers.append(answer)
        return answer


class _Client:
    """One connection through the proxy, kept as long as it is open.

    Requests come from many addresses in turn: one alone would ask more than its 20 a second.
    """

    def __init__(self, port: int, number: int) -> None:
        self._connection = HTTPConnection(HOST, port, timeout=PATIENCE)
        self._addresses = itertools.cycle(f"198.18.{number}.{last}" for last in range(1, 33))

    def ask(
        self, method: str, path: str, body: str | None = None, more: dict[str, str] | None = None
    ) -> int:
        """The status, 0 when no answer came."""
        sock = self._connection.sock
        if sock is not None and select.select([sock], [], [], 0)[0]:
            self.close()  # it was closed meanwhile; every client looks before it writes
        try:
            headers = HEADERS | {"X-Forwarded-For": next(self._addresses)} | (more or {})
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
            response.read()
            return response.status
        except (OSError, HTTPException):
            self.close()
            return 0

    def close(self) -> None:
        self._connection.close()
