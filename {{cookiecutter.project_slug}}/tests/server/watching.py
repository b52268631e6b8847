"""Ask again and again from the side, while a test does something to the service."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

PACE = 0.01  # seconds from an answer to the next question


@dataclass
class Watched:
    """What came back: how often each answer, and the longest wait in seconds."""

    answers: Counter[object] = field(default_factory=Counter)
    slowest: float = 0.0

    @property
    def total(self) -> int:
        return self.answers.total()

    def wait_for_more(self, number: int = 10, seconds: float = 20.0) -> None:
        """Until so many more answers came. Raises AssertionError when they do not."""
        wanted, deadline = self.total + number, time.monotonic() + seconds
        while self.total < wanted:
            assert time.monotonic() < deadline, f"{self.total} answers after {seconds:g} s"
            time.sleep(PACE)

    def record(self, ask: Callable[[], object]) -> None:
        started = time.monotonic()
        try:
            answer = ask()
        except OSError as error:
            answer = repr(error)
        self.answers[answer] += 1
        self.slowest = max(self.slowest, time.monotonic() - started)


@contextmanager
def watching(ask: Callable[[], object], *, threads: int = 1) -> Iterator[Watched]:
    """Call `ask` about a hundred times a second until the block ends; an OSError is an answer."""
    watched = Watched()
    ended = threading.Event()

    def run() -> None:
        # A pause, because the watched service shares two cores with this.
        while not ended.wait(PACE):
            watched.record(ask)

    running = [threading.Thread(target=run, daemon=True) for _ in range(threads)]
    for thread in running:
        thread.start()
    try:
        yield watched
    finally:
        ended.set()
        for thread in running:
            thread.join(30)
