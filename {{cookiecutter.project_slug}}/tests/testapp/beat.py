"""The service's beat at a pace that a test can wait for: `beat --scheduler …:QuickScheduler`."""

from __future__ import annotations

from datetime import timedelta

from core.beat.scheduler import LeaseScheduler
from tests.testapp.tasks import say

LEASE = 6.0  # seconds instead of 60
TICK = 1.0  # seconds between two ticks
RETRY = 0.5  # seconds between two looks of the one that waits


class QuickScheduler(LeaseScheduler):
    lease_seconds = LEASE
    retry_seconds = RETRY

    def setup_schedule(self) -> None:
        self.app.conf.beat_schedule = {
            "tick": {
                "task": say.name,
                "schedule": timedelta(seconds=TICK),
                "args": ("tick",),
            }
        }
        super().setup_schedule()
