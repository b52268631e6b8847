"""A partner takes connections and answers nothing, and a view of the service asks it.

Each request that waits holds a thread, and soon all of them wait for somebody else's server: the
orders, which need no partner, wait behind. With a bounded client each waits for a second; after
five of them the breaker refuses the others at once, and one in ten seconds tries.
"""

from __future__ import annotations

from drills.drill import OURS, Drill
from drills.load import Load
from drills.report import Figures
from tests.partner import Partner

INJECTED = "a third party that hangs for 15 s, asked 5 times a second; 4 threads"
NAIVE = "httpx2.get(url, timeout=60)"
BITES = "worst_ms"
# Milliseconds, of the orders: two rounds of a second before the breaker opens, and one later.
BOUNDS = {"failed": 0, "median_ms": 150, "worst_ms": 5_000, "recovery_s": 30}
THREADS = {"WEB_CONCURRENCY": "1", "THREADS": "4"}


def run(drill: Drill) -> Figures:
    view = "naive-partner" if drill.is_control else "partner"
    with (
        Partner().running() as partner,
        drill.service.roles("worker", "relay"),
        drill.service.roles("web", env=THREADS) as roles,
    ):
        web = roles["web"]
        asking = Load(web.port, f"/api/drill/{view}/{partner.port}/", callers=0, rate=5)
        with drill.load(web, path=OURS, callers=1) as load:
            load.hold(2)
            drill.strike(lambda: None)
            with asking.running():
                load.hold(drill.seconds(15, 6))
                drill.heal(partner.ended.set)
            load.hold(2)
        return drill.figures()
