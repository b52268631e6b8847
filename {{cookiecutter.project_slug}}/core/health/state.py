"""What the processes of one service instance know of each other, in one page of shared memory.

gunicorn's master answers the probes and its workers know the facts. The page is made before the
fork and written without a lock: every cell is one aligned eight-byte number with a single meaning,
times are CLOCK_MONOTONIC, which all processes of a machine share. 0 means "never".

Weighed: `multiprocessing.Value` takes a lock that a killed worker keeps; a file or a socket costs a
system call for each request.
"""

from __future__ import annotations

import itertools
import mmap
import threading
import time
from functools import cache

# Seconds without a successful check until the primary counts as lost. A failover or a restart of
# the pooler is over sooner; must stay below the 60 s after which liveness restarts the process.
UNREACHABLE_AFTER = 15.0

# Room for old and new workers side by side (HUP) at WEB_CONCURRENCY's and THREADS' upper bounds.
SLOTS = 192
THREADS = 64

_BOOTED, _TICKED, _THREADS, _STARTS = range(4)
_SLOT_CELLS = _STARTS + THREADS


class _Cell:
    """A number of the page as an attribute."""

    def __init__(self, index: int) -> None:
        self._index = index

    def __get__(self, page: Page, owner: type[Page]) -> float:
        return page.cells[self._index]

    def __set__(self, page: Page, value: float) -> None:
        page.cells[self._index] = value


class Page:
    """The memory of one service instance, shared with every process forked after its making."""

    reached = _Cell(0)
    """When the primary last answered."""
    asked = _Cell(1)
    """When somebody last asked it."""
    asker = _Cell(2)
    """Who asked, as the number of the slot plus one."""
    draining = _Cell(3)
    """When the service was told to stop."""

    def __init__(self) -> None:
        memory = mmap.mmap(-1, 8 * (4 + SLOTS * _SLOT_CELLS))  # anonymous and shared
        self.cells = memoryview(memory).cast("d")

    def slot(self, number: int) -> Slot:
        """The cells of one worker, as the last owner left them."""
        first = 4 + number * _SLOT_CELLS
        return Slot(number, self.cells[first : first + _SLOT_CELLS])

    def drain(self) -> None:
        """Say that this instance wants no new requests. Safe in a signal handler."""
        self.draining = time.monotonic()

    def unready(self) -> str | None:
        """Why no request should come here, or None: the part every process can answer."""
        if self.draining:
            return "draining"
        if not self.reached:
            return "the database has not answered yet"
        silence = time.monotonic() - self.reached
        if silence > UNREACHABLE_AFTER:
            return f"the primary database has been out of reach for {silence:.0f} s"
        return None


class Slot:
    """The cells of one worker: when it started, and since when each of its threads is busy."""

    def __init__(self, number: int, cells: memoryview[float]) -> None:
        self.number = number
        self._cells = cells
        self._own = threading.local()
        self._next = itertools.count()

    def clear(self) -> None:
        for index in range(_SLOT_CELLS):
            self._cells[index] = 0.0

    def boot(self, threads: int) -> None:
        """Say that the worker takes requests, with so many threads."""
        self._cells[_THREADS] = min(threads, THREADS)
        self._cells[_BOOTED] = self._cells[_TICKED] = time.monotonic()

    def tick(self) -> None:
        """Say that the event loop turns; gunicorn's workers have their own sign of life."""
        self._cells[_TICKED] = time.monotonic()

    def begin(self) -> None:
        """Say that this thread took a request."""
        try:
            index = self._own.index
        except AttributeError:
            index = self._own.index = _STARTS + next(self._next) % THREADS
        self._cells[index] = time.monotonic()

    def end(self) -> None:
        """Say that this thread is done with it."""
        self._cells[self._own.index] = 0.0

    @property
    def booted(self) -> bool:
        return self._cells[_BOOTED] > 0

    @property
    def ticked(self) -> float:
        return self._cells[_TICKED]

    @property
    def running(self) -> int:
        """Requests in progress."""
        return sum(1 for start in self._cells[_STARTS:] if start)

    def is_wedged(self, seconds: float) -> bool:
        """Whether every thread has been busy with one request for longer than `seconds`."""
        starts = [start for start in self._cells[_STARTS:] if start]
        threads = self._cells[_THREADS]
        return 0 < threads <= len(starts) and time.monotonic() - max(starts) > seconds


@cache
def page() -> Page:
    """The page of this instance; the first call must come before the fork."""
    return Page()
