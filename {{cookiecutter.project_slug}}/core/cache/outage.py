"""An outage of the cache in the log: one line a second, however many reads fail."""

from __future__ import annotations

import logging
import threading
import time

# Seconds between two lines; a busy process fails thousands of reads in each.
INTERVAL = 1.0


class OneLineASecond(logging.Filter):
    """Lets the first line of each second through, with the number of those it held back."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._next = 0.0
        self._held_back = 0

    def filter(self, record: logging.LogRecord) -> bool:
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
