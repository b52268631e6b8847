"""Both web processes are killed, one after the other, as nodes are that lose their power.

What they were reading is asked of the other one. An order may have had its effect: nginx does not
repeat it, its client does, with its key, and it has one effect.
"""

from __future__ import annotations

from drills.drill import Drill
from drills.fleet import COUNTS_FAILURES, Fleet
from drills.report import Figures
from drills.traffic import Traffic
from tests.server.roles import Role

INJECTED = "SIGKILL to two web processes one after the other, three times; requests of 3 s, orders"
NAIVE = "`max_fails=1`"
BITES = "failed"
ORDERERS = 2
ROUNDS, QUICK = 3, 1
# resent: an order of each client for each kill, and the one that came while its process was dying.
BOUNDS = {"failed": 0, "resent": 2 * ORDERERS * 2 * ROUNDS}
ANSWERS = 10_000
# Seconds between two: a request of 3 s that meets both has nowhere left to go.
SETTLE = 4.0


def run(drill: Drill) -> Figures:
    with Fleet(drill.service, replace=COUNTS_FAILURES if drill.is_control else None) as fleet:
        with drill.traffic(Traffic(fleet.proxy.port, orderers=ORDERERS)) as traffic:
            traffic.hold(2)
            for _ in range(QUICK if drill.is_quick else ROUNDS):
                drill.strike(lambda: fleet.restart_each(kill, settle=SETTLE))
            if not (drill.is_quick or drill.is_control):
                traffic.hold_until(ANSWERS, 300)
            drill.heal()
            traffic.hold(2)
        return drill.figures()


def kill(role: Role) -> None:
    role.process.kill()
