"""PostgreSQL is restarted for a new minor version, at noon.

PgBouncer's PAUSE lets running transactions end and holds the next ones back; after the restart,
RESUME lets them go on. Nobody sees more than a pause, as long as it is shorter than
query_wait_timeout.
"""

from __future__ import annotations

from drills.drill import OURS, Drill
from drills.report import Figures

INJECTED = "restart of PostgreSQL between PAUSE and RESUME of PgBouncer"
NAIVE = "restart without PAUSE"
BITES = "failed"
BOUNDS = {"failed": 0, "worst_ms": 5_000}


def run(drill: Drill) -> Figures:
    service = drill.service
    # Production's console has readers alone; who restarts a server has an administrator's name.
    service.pool_by({"admin_users": "pgbouncer"})
    with service.roles("web", "worker", "relay") as roles:
        with drill.load(roles["web"], path=OURS) as load:
            load.hold(2)
            if not drill.is_control:
                drill.strike(lambda: service.pooler_does("PAUSE"))
            drill.strike(service.postgres.restart)
            if not drill.is_control:
                drill.heal(lambda: service.pooler_does("RESUME"))
            drill.heal()
            load.hold(drill.seconds(5, 2))
        return drill.figures()
