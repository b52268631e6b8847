"""CPU time of requests through Django's WSGI handler, two stacks of middleware side by side.

The cost of a middleware is that of MIDDLEWARE up to and with it, less that of MIDDLEWARE up to it,
so that what it relies on (sessions, before users) is there in both. The two answer in turns, one
request each, and the first of a pair is the second of the next: a machine that slows down slows
both. A round compares their medians, which a request that was interrupted does not move.

Weighed: `timeit` and pyperf compare two runs, and two runs of one program differ by more than most
middleware costs; a profiler charges each call, so that what is split into functions looks dear.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from statistics import median, quantiles
from typing import TYPE_CHECKING

from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

# What a proxy sends for a browser without a session. An anonymous visitor: the cost of loading a
# session belongs to the view that asks for the user.
HEADERS = {
    "HTTP_HOST": "service.test",
    "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "HTTP_ACCEPT": "application/json",
    "HTTP_ACCEPT_ENCODING": "gzip, deflate, br",
    "HTTP_X_FORWARDED_FOR": "203.0.113.7",
    "HTTP_X_REQUEST_ID": "0123456789abcdef0123456789abcdef",
}


@dataclass(frozen=True)
class Cost:
    """Microseconds of CPU per request: the median of the rounds, and their quartiles."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Effort:
    """So many rounds, each of so many requests to either stack."""

    rounds: int
    requests: int


def stack(middleware: Sequence[str]) -> WSGIHandler:
    """Django's handler, built as it is at the start of a process, with this list alone."""
    with override_settings(MIDDLEWARE=list(middleware)):
        return WSGIHandler()


def compare(path: str, one: WSGIHandler, other: WSGIHandler, effort: Effort) -> tuple[Cost, Cost]:
    """What a GET of `path` costs with `one`, and what it costs more with `other`."""
    for _ in range(effort.requests):  # caches, connections, lazy imports
        _spend(one, path)
        _spend(other, path)
    rounds = [_round(path, one, other, effort.requests) for _ in range(effort.rounds)]
    return _summary([first for first, _ in rounds]), _summary([b - a for a, b in rounds])


def _round(path: str, one: WSGIHandler, other: WSGIHandler, requests: int) -> tuple[float, float]:
    """The median of each. Collected before and not within: a collection would hit one of many."""
    spent: dict[WSGIHandler, list[float]] = {one: [], other: []}
    gc.collect()
    gc.disable()
    try:
        for number in range(requests):
            for handler in (one, other) if number % 2 else (other, one):
                spent[handler].append(_spend(handler, path))
    finally:
        gc.enable()
    return median(spent[one]), median(spent[other])


def _summary(costs: list[float]) -> Cost:
    low, _, high = (seconds * 1e6 for seconds in quantiles(costs, n=4))
    return Cost(median(costs) * 1e6, low, high)


def _spend(handler: WSGIHandler, path: str) -> float:
    """Seconds of this thread's CPU for one request. Raises RuntimeError for another than 200."""
    environ = _environ(path)
    status = ""

    def start_response(line: str, headers: object, exc_info: object = None) -> None:
        nonlocal status
        status = line

    started = time.thread_time()
    response = handler(environ, start_response)
    for _part in response:
        pass
    response.close()
    spent = time.thread_time() - started
    if status != "200 OK":
        raise RuntimeError(f"{path} answered {status}")
    return spent


def _environ(path: str) -> WSGIEnvironment:
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "service.test",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": BytesIO(),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        **HEADERS,
    }
