"""Requests without end: callers who wait for their answer, and others who come whatever happens.

A closed loop alone is kind to a slow service, because it asks less the longer it waits; arrivals at
a constant rate are what the world does. Weighed: hey and wrk are closed loops and know no request
ids; locust, with constant throughput, hid a freeze of 1.5 s.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from uuid import uuid4

from scripts.servers import HOST

# Seconds that a caller waits, as long as a load balancer does: past every timeout of the service.
PATIENCE = 40.0
# Seconds between an answer and the same caller's next request; a refused one comes back at once.
THINK = 0.02
HEADERS = {
    "Host": "service.test",
    "X-Forwarded-Proto": "https",
    "Content-Type": "application/json",
}


@dataclass(frozen=True)
class Answer:
    """`began` and `ended` are `time.monotonic()`; `status` is 0 when no answer came."""

    request_id: str
    began: float
    ended: float
    status: int

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    @property
    def seconds(self) -> float:
        return self.ended - self.began


class Load:
    """Orders for `path`, as `drills.app.web` takes them. Answers are noted as they come.

    `callers` wait for their answer, and `rate` others come each second; the task of an order works
    for `seconds`.
    """

    def __init__(
        self,
        port: int,
        path: str,
        *,
        callers: int = 4,
        rate: float = 10.0,
        seconds: float = 0.0,
        cookie: str = "",
    ) -> None:
        self._port = port
        self._path = path
        self._callers = callers
        self._rate = rate
        self._work = seconds
        self._headers = HEADERS | ({"Cookie": cookie} if cookie else {})
        self._ended = threading.Event()
        self.answers: list[Answer] = []

    @contextmanager
    def running(self) -> Iterator[Load]:
        """Load while the block runs; at its end each caller has had its answer."""
        # Room for whoever comes while nobody is answered.
        with ThreadPoolExecutor(256) as pool:
            running = [pool.submit(self._call_again_and_again) for _ in range(self._callers)]
            running.append(pool.submit(self._arrive, pool))
            try:
                yield self
            finally:
                self._ended.set()
                for one in running:  # before the pool closes, or the last arrival finds no place
                    one.result()

    def hold(self, seconds: float) -> None:
        """Go on for so long."""
        threading.Event().wait(seconds)

    def order(self) -> Answer:
        """One request."""
        request_id, began = str(uuid4()), time.monotonic()
        connection = HTTPConnection(HOST, self._port, timeout=PATIENCE)
        try:
            body = json.dumps({"id": request_id, "seconds": self._work})
            connection.request("POST", self._path, body, self._headers)
            response = connection.getresponse()
            response.read()
            status = response.status
        except (OSError, HTTPException):
            status = 0
        finally:
            connection.close()
        answer = Answer(request_id, began, time.monotonic(), status)
        self.answers.append(answer)
        return answer

    @property
    def promised(self) -> set[str]:
        """The ids of the requests that were answered 2xx."""
        return {answer.request_id for answer in self.answers if answer.is_good}

    def _call_again_and_again(self) -> None:
        while not self._ended.is_set():
            self.order()
            self._ended.wait(THINK)

    def _arrive(self, pool: ThreadPoolExecutor) -> None:
        due = time.monotonic()
        while not self._ended.wait(max(0.0, due - time.monotonic())):
            pool.submit(self.order)
            due += 1 / self._rate
