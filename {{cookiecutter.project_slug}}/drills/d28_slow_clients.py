"""Many clients send or read so slowly that each would hold a thread for as long as it likes.

nginx takes a request and gives it on when it is whole, and takes an answer and lets the thread go.
Where gunicorn is asked directly, its threads wait for the slow ones, and everybody else waits too.
"""

from __future__ import annotations

from drills.drill import Drill
from drills.fleet import Fleet
from drills.report import Figures
from drills.slow import clients
from drills.traffic import Traffic

INJECTED = "90 clients that send a byte each half second, or read nothing"
NAIVE = "gunicorn without a proxy"
BITES = "worst_ms"
# Milliseconds: a request takes some, on a machine that may be busy.
BOUNDS = {"failed": 0, "worst_ms": 2000}
SLOW = 90  # 8 threads in the two processes
# Seconds that they stay.
STAY, QUICK = 12, 5


def run(drill: Drill) -> Figures:
    with Fleet(drill.service) as fleet:
        port = fleet.roles[0].port if drill.is_control else fleet.proxy.port
        with drill.traffic(Traffic(port, long_readers=0)) as traffic:
            traffic.hold(2)
            with clients(port, SLOW):
                drill.strike(lambda: traffic.hold(drill.seconds(STAY, QUICK)))
            drill.heal()
            traffic.hold(2)
        return drill.figures()
