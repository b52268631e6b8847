"""200 clients at once, and a PostgreSQL that takes 60 connections.

Every request thread wants one. A pooler lends 38 to all of them, for a transaction each; without it
the 58th thread is told "too many clients already".
"""

from __future__ import annotations

from drills.drill import OURS, Drill
from drills.report import Figures

INJECTED = "200 callers at once on 128 threads; max_connections = 60"
NAIVE = "straight to PostgreSQL"
BITES = "failed"
BOUNDS = {"failed": 0, "recovery_s": 60}
THREADS = {"WEB_CONCURRENCY": "2", "THREADS": "64"}


def run(drill: Drill) -> Figures:
    service = drill.service
    service.postgres_by({"max_connections": "60"})
    straight = {"DATABASE_URL": service.postgres.url("app")} if drill.is_control else {}
    with service.roles("web", env=THREADS | straight) as roles, service.roles("worker", "relay"):
        with drill.load(roles["web"], path=OURS, callers=20, rate=1) as load:
            load.hold(1)
        with drill.load(roles["web"], path=OURS, callers=200, rate=1) as load:
            drill.strike(lambda: load.hold(drill.seconds(15, 6)))
        drill.heal()
        return drill.figures()
