"""Signs of life for systemd's watchdog, from the thread that answers probes."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from core.heartbeat.systemd import notify

# Seconds between two; WatchdogSec of deploy/systemd/ is 60, so eleven may be lost.
INTERVAL = 5.0


class SignOfLife:
    """Called a few times a second; tells systemd now and then, while `is_live` says so.

    The same question that Kubernetes asks by `/livez`, so that both restart for the same reason.
    """

    def __init__(self, is_live: Callable[[], bool]) -> None:
        self._is_live = is_live
        self._last = 0.0

    def __call__(self) -> None:
        now = monotonic()
        if now - self._last >= INTERVAL and self._is_live():
            self._last = now
            notify("WATCHDOG=1")
