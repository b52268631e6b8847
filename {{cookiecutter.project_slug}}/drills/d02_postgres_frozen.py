"""PostgreSQL stops answering and closes nothing: a disk that hangs, a host that is suspended.

A server that does nothing does not keep statement_timeout either. The pooler's query_timeout ends
the statement, and its query_wait_timeout sends away who waits behind; without them a thread waits
for as long as the server sleeps.
"""

from __future__ import annotations

from drills.d01_postgres_crash import DEFAULTS
from drills.drill import OURS, Drill
from drills.report import Figures

INJECTED = "SIGSTOP to PostgreSQL and all its backends for 12 s"
NAIVE = "PgBouncer's defaults"
BITES = "worst_ms"
# Milliseconds: query_timeout 7 s + query_wait_timeout 3 s + 0.5 s, and twice the third of a second
# between two looks of PgBouncer at its timeouts.
# recovery_s: a task whose claim was cut off runs again when its lease of 30 s has ended.
BOUNDS = {"worst_ms": 11_200, "recovery_s": 60}
# So that nobody waits in the kernel for a thread: what is bounded is what the service does.
THREADS = {"WEB_CONCURRENCY": "2", "THREADS": "48"}


def run(drill: Drill) -> Figures:
    service = drill.service
    if drill.is_control:
        service.pool_by(DEFAULTS)
    with service.roles("web", "worker", "relay", env=THREADS) as roles:
        with drill.load(roles["web"], path=OURS, rate=3) as load:
            load.hold(2)
            drill.strike(service.postgres.freeze)
            load.hold(12)
            drill.heal(service.postgres.thaw)
            load.hold(drill.seconds(5, 3))
        return drill.figures()
