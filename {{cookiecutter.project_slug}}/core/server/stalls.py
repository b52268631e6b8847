"""A request thread that is stuck for good: tell where, and replace its worker.

A deadline under threads is kept by what waits for it; `time.sleep(60)`, a lock or an endless loop
asks nobody. The proxy answers 504 for such a request, and its thread is lost for every other one.
Weighed: gunicorn's own timeout sees the main loop, which turns; faulthandler's
`dump_traceback_later` writes loose lines and knows no request.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from time import monotonic
from typing import Any

import structlog

from core.deadline.middleware import Running, running

_logger = structlog.get_logger("stalls")

# Seconds beyond gunicorn's timeout of 30 s until a request counts as stalled: above the proxy's
# read timeout of 35 s, so that its client has had its 504 when the worker is replaced.
LATER = 10.0
# Seconds between two looks.
INTERVAL = 0.5


class StallWatch(threading.Thread):
    """The worker's thread that looks for stalled requests, and ends the worker that has one.

    The worker stops accepting, as on SIGTERM; connections that wait in the kernel go to the other
    workers. When all its requests but the stalled ones are answered the process exits, and
    gunicorn forks another. Without that exit the interpreter would wait for the stuck thread, and
    gunicorn's kill would come 60 s later. `after` and `grace` (for the other requests) in seconds.
    """

    def __init__(self, worker: Any, *, after: float, grace: float) -> None:
        super().__init__(name="stall-watch", daemon=True)
        self._worker = worker
        self._after, self._grace = after, grace
        self._told: set[tuple[int, float]] = set()
        self._drained_before = False
        self._retired: float | None = None

    def run(self) -> None:
        pause = threading.Event()
        while not pause.wait(INTERVAL):
            stalled = self._stalled()
            for thread, request in stalled.items():
                self._tell(thread, request)
            if stalled and self._worker.alive:
                os.kill(os.getpid(), signal.SIGTERM)
            if not self._worker.alive:
                self._end(len(stalled))

    def _stalled(self) -> dict[int, Running]:
        now = monotonic()
        busy = running.copy().items()
        return {thread: each for thread, each in busy if now - each.since > self._after}

    def _tell(self, thread: int, stalled: Running) -> None:
        if (thread, stalled.since) in self._told:
            return
        self._told.add((thread, stalled.since))
        frame = sys._current_frames().get(thread)
        request, match = stalled.request, stalled.request.resolver_match
        _logger.error(
            "request stalled, worker is replaced",
            request_id=getattr(request, "request_id", None),
            method=request.method,
            path=request.path,
            route=match.route if match else None,
            duration_ms=round((monotonic() - stalled.since) * 1000),
            stack="".join(traceback.format_stack(frame)) if frame else None,
        )

    def _end(self, stalled: int) -> None:
        """Exit when only stalled requests are left, seen twice: the last answer must be written."""
        now = monotonic()
        self._retired = self._retired or now
        drained = stalled > 0 and self._worker.nr_conns <= stalled
        if (drained and self._drained_before) or now - self._retired > self._grace + LATER:
            _logger.info("Worker exits with requests that do not end.", stalled=stalled)
            os._exit(0)  # without waiting for threads, which is what sys.exit() does
        self._drained_before = drained
