"""An outage of the cache in the log: one line a second, however many reads fail."""

from __future__ import annotations

import logging
import threading
import time

from core.cache.client import CacheAwayError

# Seconds between two lines; a busy process fails thousands of reads in each.
INTERVAL = 1.0


class OneLineASecond(logging.Filter):
    """Lets the first line of each second through, with the number of those it held back.

    None for the calls that an open breaker stopped: its opening was told, and nothing was tried.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._next = 0.0
        self._held_back = 0

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and isinstance(error.__cause__, CacheAwayError):
            return False
        now = time.monotonic()
        with self._lock:
            if now < self._next:
                self._held_back += 1
                return False
            self._next, held_back, self._held_back = now + INTERVAL, self._held_back, 0
        record.msg = (
            "The cache does not answer, which counts as a miss (%d more since the last line)"
        )
        record.args = (held_back,)
        return True
