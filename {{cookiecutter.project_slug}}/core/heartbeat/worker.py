"""The heartbeat of a Celery worker: `app.steps["worker"].add(WorkerHeartbeat)`.

Weighed: a timer alone goes silent while the broker is away (the reconnect loop runs no timers),
and liveness would then restart every worker of the fleet at once.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import structlog
from celery import bootsteps

from core import heartbeat

logger = structlog.get_logger(__name__)

# Seconds between two marks; a probe allows 60, so eleven may be missed.
INTERVAL = 5.0
# Seconds the main loop may stall before the marks end. A frozen broker held it for 12, with the
# consumer's timeouts of 5 (`config/settings/components/tasks.py`); a restart would not help.
STALLED = 30.0


class WorkerHeartbeat(bootsteps.StartStopStep):
    """Touch the file while the main loop turns, or while it is busy reconnecting to the broker.

    Requires the timer only: a step that waits for the consumer would start with the broker.
    """

    requires = ("celery.worker.components:Timer",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._ticked = time.monotonic()

    def start(self, parent: Any) -> None:
        """Start both halves: a tick in the main loop, and the thread that looks at it."""
        self._tick()
        parent.timer.call_repeatedly(INTERVAL, self._tick)
        # Until the process ends: it vouches for a stopping worker, too, for STALLED seconds more.
        threading.Thread(target=self._watch, args=(parent,), name="heartbeat", daemon=True).start()

    def _tick(self) -> None:
        self._ticked = time.monotonic()

    def _watch(self, worker: Any) -> None:
        pause = threading.Event()
        while True:
            pause.wait(INTERVAL if self._works(worker) else 1.0)

    def _works(self, worker: Any) -> bool:
        consumer = getattr(worker, "consumer", None)
        is_reconnecting = consumer is not None and getattr(consumer, "connection", None) is None
        if not is_reconnecting and time.monotonic() - self._ticked > STALLED:
            return False
        try:
            heartbeat.touch("worker")
        except OSError as error:  # a full disk: the probe will say so; the next mark may succeed
            logger.warning("heartbeat not marked", reason=str(error))
        return True
