"""A request's budget of time, and what takes the lesser of its own timeout and the time left.

    httpx2.get(url, timeout=deadline.timeout(5.0))

The middleware starts the budget; database statements keep to it by themselves (`core.db.base`).
Outside of a request (tasks, commands) there is none, and every limit is the caller's own.

What ends a request is the sum of what it waits for, which no single timeout bounds: ten queries of
4 s pass a statement_timeout of 5 s. Weighed: a thread that raises in another one
(`PyThreadState_SetAsyncExc`) does not interrupt a system call, and tears locks; gunicorn's
`--timeout` watches the main loop of a gthread worker, never its threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf
from time import monotonic

_ends: ContextVar[float] = ContextVar("deadline", default=inf)


class Exhausted(Exception):  # noqa: N818 - a state of the request, as its HTTP status is
    """The request's time is up. Unhandled, the answer is 503 with Retry-After."""

    def __init__(self) -> None:
        super().__init__("the request's deadline has passed")


def remaining() -> float:
    """Seconds until the deadline; negative after it, infinite where there is none."""
    return _ends.get() - monotonic()


def check() -> None:
    """Raise `Exhausted` when the time is up: call it between the steps of a long computation."""
    if monotonic() >= _ends.get():
        raise Exhausted


def timeout(limit: float) -> float:
    """`limit`, or the time left when that is less; for one call to another system. In seconds.

    Raises `Exhausted` when none is left. A client's timeout bounds each of its reads, so an answer
    that trickles may take longer than this.
    """
    left = remaining()
    if left <= 0:
        raise Exhausted
    return min(limit, left)


def begin(seconds: float) -> None:
    """Give this thread or coroutine so many seconds from now, whatever it had before."""
    _ends.set(monotonic() + seconds)


def end() -> None:
    """Take the budget away: what follows is nobody's request."""
    _ends.set(inf)


@contextmanager
def budget(seconds: float) -> Iterator[None]:
    """So many seconds for the block, and no more than what was left before it."""
    before = _ends.get()
    token = _ends.set(min(before, monotonic() + seconds))
    try:
        yield
    finally:
        _ends.reset(token)
