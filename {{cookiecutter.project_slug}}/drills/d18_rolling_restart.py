"""Both web processes are restarted, one after the other, while requests come.

SIGTERM lets each finish what it works on, for 30 s at most, and nginx asks the other one. A process
that is given 1 s cuts what takes 3; and where nginx counts failures, the one that has just returned
is not asked yet when the other one leaves.
"""

from __future__ import annotations

from drills.drill import Drill
from drills.fleet import COUNTS_FAILURES, Fleet
from drills.report import Figures
from drills.traffic import Traffic
from tests.server.roles import Role

INJECTED = "SIGTERM to two web processes one after the other, three times; requests of 3 s, orders"
NAIVE = "`--graceful-timeout 1`, `max_fails=1`"
BITES = "failed"
# resent: orders that stood in the queue of a process that left, where nobody had read them.
BOUNDS = {"failed": 0, "resent": 16}
ROUNDS, QUICK = 3, 1
# Answers of the whole drill.
ANSWERS = 10_000


def run(drill: Drill) -> Figures:
    naive = drill.is_control
    fleet = Fleet(
        drill.service,
        arguments=("--graceful-timeout", "1") if naive else (),
        replace=COUNTS_FAILURES if naive else None,
    )
    with fleet:
        with drill.traffic(Traffic(fleet.proxy.port)) as traffic:
            traffic.hold(2)
            for _ in range(QUICK if drill.is_quick else ROUNDS):
                drill.strike(lambda: fleet.restart_each(Role.stop))
            if not (drill.is_quick or naive):
                traffic.hold_until(ANSWERS, 300)
            drill.heal()
            traffic.hold(2)
        return drill.figures()
