"""PgBouncer is killed, and its supervisor starts it again after 2 s.

Requests fail while it is away. Afterwards each thread still holds a connection to the dead one; a
connection that is tried before use costs nobody a request.
"""

from __future__ import annotations

from drills.drill import OURS, Drill
from drills.report import Figures

INJECTED = "SIGKILL to PgBouncer, started again after 2 s"
NAIVE = "persistent connections without health checks"
BITES = "failed_after_heal"
# recovery_s: a task whose claim was cut off runs again when its lease of 30 s has ended.
BOUNDS = {"worst_ms": 5_000, "recovery_s": 60}


def run(drill: Drill) -> Figures:
    service = drill.service
    app = {"web": ("drills.app.web_without_health_checks:application",)} if drill.is_control else {}
    # Many threads and few requests: most threads sleep through the outage, as at night.
    threads = {"WEB_CONCURRENCY": "1", "THREADS": "32"}
    with service.roles("web", "worker", "relay", env=threads, **app) as roles:
        with drill.load(roles["web"], path=OURS, callers=24, rate=20) as load:
            load.hold(2)
        with drill.load(roles["web"], path=OURS, callers=0, rate=3) as load:
            load.hold(1)
            drill.strike(service.pgbouncer.kill)
            load.hold(2)
            drill.heal(service.pgbouncer.start)
            load.hold(drill.seconds(15, 8))
        return drill.figures()
