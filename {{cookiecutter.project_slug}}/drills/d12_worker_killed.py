"""One of two workers is killed with all its processes, as a machine that loses power.

With Celery's defaults a message is acknowledged before it is worked on: what a dead worker held is
gone. Acknowledged late, it returns after the broker's visibility timeout, here 15 minutes. A lease
ends after 30 s, and the relay publishes the work again, for the worker that is left.
"""

from __future__ import annotations

from drills.drill import Drill
from drills.report import Figures

INJECTED = "SIGKILL to a worker and all its processes, in the middle of tasks"
NAIVE = "acknowledged before the work"
BITES = "lost"
BOUNDS = {"failed": 0, "recovery_s": 60}


def run(drill: Drill) -> Figures:
    service = drill.service
    with service.roles("web", "worker", "relay") as roles, service.roles("worker"):
        with drill.load(roles["web"], callers=0, rate=2, seconds=2) as load:
            load.hold(3)
            service.ledger.wait_until(lambda: service.ledger.begun() >= 4, 10)
            drill.strike(roles["worker"].process.kill)
            drill.heal()
            load.hold(1)
        return drill.figures()
