"""A middleware that costs what it says, for the test of the benchmark."""

from __future__ import annotations

import time

from django.http import HttpRequest

from core.middleware import Middleware

MICROSECONDS = 100


class BusyMiddleware(Middleware):
    """Computes for MICROSECONDS of its thread's own time, however busy the machine is."""

    def before(self, request: HttpRequest) -> None:
        end = time.thread_time() + MICROSECONDS / 1e6
        while time.thread_time() < end:
            pass
