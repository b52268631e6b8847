"""A scheduler whose module takes its time: `beat --scheduler tests.testapp.slow_beat:…`."""

import time

from tests.testapp.beat import QuickScheduler

__all__ = ["QuickScheduler"]

time.sleep(2)
