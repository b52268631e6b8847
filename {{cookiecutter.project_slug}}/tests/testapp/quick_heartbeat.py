"""Loaded into a worker by `--include`: it marks more often, and bears half the stall.

SIGUSR2 stalls its main loop for a minute, and nothing else.
"""

import signal
import time

from core.heartbeat import worker

worker.INTERVAL = 0.5
worker.STALLED /= 2

signal.signal(signal.SIGUSR2, lambda *_: time.sleep(60))
