"""A breaker for each host: while it is down, a call fails at once and opens no socket."""

from __future__ import annotations

import threading
import time

import httpx2
import structlog

logger = structlog.get_logger("core.outbound")

# Failures in a row, of all threads and coroutines of a process. ASVS and Nygard name no number;
# five are fewer than the threads of a process, which a host that hangs would all hold.
FAILURES = 5
# Seconds in which nobody calls. Then one does, and the others wait for what it finds.
PAUSE = 10.0


class CircuitOpenError(httpx2.TransportError):
    """The host failed a moment ago and is not called. `seconds` until the next may try."""

    def __init__(self, host: str, seconds: float) -> None:
        super().__init__(f"{host} failed {FAILURES} times in a row; next try in {seconds:.1f} s")
        self.seconds = seconds


class Breaker:
    """Ask `check` before a call, then tell how it ended.

    Holds its lock for no await, so one serves threads and coroutines. A trial that never tells how
    it ended (a coroutine that was cancelled) keeps the others off for a pause, not for ever.
    """

    def __init__(self, host: str, *, failures: int = FAILURES, pause: float = PAUSE) -> None:
        self._host = host
        self._limit = failures
        self._pause = pause
        self._lock = threading.Lock()
        self._failures = 0
        self._until = 0.0  # 0 while it is closed
        self.openings = 0

    @property
    def is_open(self) -> bool:
        return self._until > 0

    def check(self) -> None:
        """Raise `CircuitOpenError` when it is open; who is let through after a pause tries."""
        if self._until == 0:
            return
        now = time.monotonic()
        with self._lock:
            if now < self._until:
                raise CircuitOpenError(self._host, self._until - now)
            if self._until:
                self._until = now + self._pause

    def failed(self) -> None:
        """The host did not answer, or answered that it cannot."""
        with self._lock:
            self._failures += 1
            if self._failures < self._limit:
                return
            was_open = self.is_open
            self._until = time.monotonic() + self._pause
            self.openings += not was_open
        if not was_open:
            logger.warning("breaker opened", host=self._host, failures=self._limit)

    def succeeded(self) -> None:
        """The host works, whatever it said."""
        if not self._failures:
            return
        with self._lock:
            was_open, self._until, self._failures = self.is_open, 0.0, 0
        if was_open:
            logger.info("breaker closed", host=self._host)
