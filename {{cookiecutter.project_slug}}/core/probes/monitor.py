"""Judge an instance from outside its request threads: alive, ready, and what to count."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from core.health.state import Page, Slot

logger = logging.getLogger(__name__)

# Seconds without any working worker until the instance is neither alive nor ready: a worker that
# is recycled is away for a fraction of it.
GRACE = 5.0


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that serves requests, seen from outside."""

    slot: Slot
    silence: float
    """Seconds since its main loop last gave a sign of life."""
    running: int
    """Requests in progress."""


class Monitor:
    """The state of an instance, asked by the management port.

    `workers` lists those that exist now. A worker works when it has booted, its main loop was heard
    within `stale_after` seconds, and not all of its threads have been busy with one request each
    for more than `wedged_after` seconds (None: its requests hold no threads).
    """

    def __init__(
        self,
        page: Page,
        workers: Callable[[], Iterable[Worker]],
        *,
        stale_after: float,
        wedged_after: float | None,
    ) -> None:
        self._page = page
        self._workers = workers
        self._stale_after = stale_after
        self._wedged_after = wedged_after
        self._worked = 0.0
        self._announced: str | None = "starting"

    def is_live(self) -> bool:
        """Whether a worker works, or did a moment ago."""
        now = time.monotonic()
        if any(self._works(worker) for worker in self._workers()):
            self._worked = now
        return bool(self._worked) and now - self._worked <= GRACE

    def unready(self) -> str | None:
        """Why no request should come here, or None."""
        is_live = self.is_live()
        if not self._worked:
            return "starting"
        return self._page.unready() or (None if is_live else "no worker works")

    def announce(self) -> None:
        """Log readiness when it has changed since the last call."""
        reason = self.unready()
        # The reason may hold a number that grows; the change is what counts.
        if (reason is None) != (self._announced is None):
            self._announced = reason
            if reason is None:
                logger.info("Ready.")
            else:
                level = logging.INFO if self._page.draining else logging.WARNING
                logger.log(level, "Not ready: %s.", reason)

    def metrics(self) -> str:
        """The same facts in Prometheus' text format 0.0.4."""
        workers = list(self._workers())
        asked: list[tuple[str, str, float]] = [
            ("service_ready", "1 when requests should come here.", self.unready() is None),
            ("service_workers", "Worker processes.", len(workers)),
            ("service_workers_working", "Those that work.", sum(map(self._works, workers))),
            (
                "service_requests_running",
                "Requests in progress.",
                sum(worker.running for worker in workers),
            ),
        ]
        if self._page.reached:
            silence = time.monotonic() - self._page.reached
            text = "Seconds since the primary database last answered."
            asked.append(("service_database_answer_age_seconds", text, round(silence, 3)))
        return "".join(
            f"# HELP {name} {text}\n# TYPE {name} gauge\n{name} {float(value):g}\n"
            for name, text, value in asked
        )

    def _works(self, worker: Worker) -> bool:
        if not worker.slot.booted or worker.silence > self._stale_after:
            return False
        return self._wedged_after is None or not worker.slot.is_wedged(self._wedged_after)
