"""The probes, asked from the side while something is wrong."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException

from scripts.servers import HOST

# Seconds between two questions, and for an answer: what a kubelet gives, not the 250 ms that the
# service promises on an idle machine (tests/server/test_probes_survive.py).
INTERVAL, PATIENCE = 0.1, 1.0


class Watch:
    """What `/livez` and `/readyz` of the management port said."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._ended = threading.Event()
        self.livez_fail = 0
        # `time.monotonic()` and whether it was ready.
        self.readyz: list[tuple[float, bool]] = []

    @contextmanager
    def running(self) -> Iterator[Watch]:
        thread = threading.Thread(target=self._ask_again_and_again, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            thread.join()

    def seconds_until_not_ready(self, since: float) -> float | None:
        """From `since` until `/readyz` first said no; None if it never did."""
        flips = [at for at, is_ready in self.readyz if at >= since and not is_ready]
        return flips[0] - since if flips else None

    def _ask_again_and_again(self) -> None:
        while not self._ended.wait(INTERVAL):
            if not self._answers("/livez"):
                self.livez_fail += 1
            self.readyz.append((time.monotonic(), self._answers("/readyz")))

    def _answers(self, path: str) -> bool:
        connection = HTTPConnection(HOST, self._port, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()
