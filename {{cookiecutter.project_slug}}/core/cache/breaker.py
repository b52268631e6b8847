"""A breaker in front of the cache: while it is away, a call is a miss that opens no socket.

A frozen Valkey costs a request that reads its session 9 ms with it and 1,017 ms without (medians,
`pytest -s tests/server/cache`). A single trial by a request ("half open") was weighed: with ten
requests a second in a process one of ten would pay a timeout. Here a thread of the breaker tries,
and no request does. Weighed: pybreaker has no such thread, and takes a lock for each healthy call;
the breaker of `core.tasks.publishing` is about slow failures and tries with a real message.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

import structlog

logger = structlog.get_logger("core.cache.breaker")

# Failures in a row, of all threads together: one is a dropped connection, three are an outage.
FAILURES = 3
# Seconds between two trials; with the client's timeouts of 0.3 and 0.5 s the cache is in use
# again within 2 s of its return.
INTERVAL = 1.0


class Breaker:
    """One for each process and server. Callers look at `is_open` and report what happened.

    `probe` asks the server and raises when it does not answer; it must end by itself. For metrics:
    `is_open` and `openings`, how often it opened since the process started.
    """

    def __init__(
        self,
        probe: Callable[[], object],
        *,
        failures: int = FAILURES,
        interval: float = INTERVAL,
    ) -> None:
        self._probe = probe
        self._limit = failures
        self._interval = interval
        self.openings = 0
        self._reset()
        # A child has none of its parent's threads: nobody would close its copy.
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._opened_at = 0.0
        self.is_open = False
        self.failures = 0

    def failed(self) -> None:
        """A call did not reach the server, or had no answer in time."""
        with self._lock:
            self.failures += 1
            if self.is_open or self.failures < self._limit:
                return
            self.is_open = True
            self.openings += 1
            self._opened_at = time.monotonic()
            self._closed = threading.Event()
            failures, closed = self.failures, self._closed
        logger.warning("cache breaker opened", failures=failures)
        trying = threading.Thread(
            target=self._try, args=[closed], name="cache-breaker", daemon=True
        )
        try:
            trying.start()
        except RuntimeError:  # no thread to be had: nobody would ever close it
            self.close()

    def succeeded(self) -> None:
        """The server answered. Needs to be called only when `failures` is not 0.

        Closes nothing: the answer may be older than the failures.
        """
        with self._lock:
            if not self.is_open:
                self.failures = 0

    def close(self) -> None:
        """Let everybody through again."""
        with self._lock:
            was_open, self.is_open, self.failures = self.is_open, False, 0
            self._closed.set()
            seconds = time.monotonic() - self._opened_at
        if was_open:
            logger.info("cache breaker closed", seconds=round(seconds, 1))

    def _try(self, closed: threading.Event) -> None:
        while not closed.wait(self._interval):
            try:
                self._probe()
            except Exception:  # noqa: S112 - whatever it is, the thread must try again
                continue
            self.close()
