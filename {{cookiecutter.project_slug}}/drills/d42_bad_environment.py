"""A release comes with a mistake in its environment.

The new process names the variable and ends with 78 within seconds, so whoever rolls out keeps the
old one. A configuration that is read when a request needs it starts, looks well, and takes over.
"""

from __future__ import annotations

from drills.drill import OURS, Drill
from drills.report import Figures
from drills.service import Service
from scripts.servers import ServerError, free_port

INJECTED = "a release whose DATABASE_URL has no database"
NAIVE = "the old release is stopped before the new one is ready"
BITES = "failed"
BOUNDS = {"failed": 0}
MISTAKE = {"DATABASE_URL": "postgresql://app@127.0.0.1/"}
# Seconds until the message, and the exit code of a wrong configuration (sysexits.h, EX_CONFIG).
SOON, REFUSED = 5.0, 78


def run(drill: Drill) -> Figures:
    service = drill.service
    with service.roles("web", "worker", "relay") as roles:
        old = roles["web"]
        with drill.load(old, path=OURS) as load:
            load.hold(2)
            if drill.is_control:
                drill.strike(old.stop)
            drill.strike(lambda: None)
            release(service)
            load.hold(drill.seconds(3, 1))
            drill.heal()
        return drill.figures()


def release(service: Service) -> None:
    """Start what was to be the new release. Raises `ServerError` unless it ends as it should."""
    ports = {"PORT": str(free_port()), "METRICS_PORT": str(free_port())}
    new = service.role("web", env=MISTAKE | ports)
    new.start()
    try:
        code = new.wait_for_exit(SOON)
    finally:
        new.stop()
    if code != REFUSED or not any("DATABASE_URL" in line for line in new.lines):
        raise ServerError(f"It ended with {code}: {new.lines}")
