"""A backend of PostgreSQL is killed, and the whole server starts recovery.

Requests fail while it recovers; the question is for how long they fail after it is back. PgBouncer
remembers a failed login for 15 s unless told otherwise, and refuses everybody meanwhile.
"""

from __future__ import annotations

import os
import signal

import psycopg

from drills.drill import OURS, Drill
from drills.report import Figures
from scripts.servers import Postgres

INJECTED = "SIGKILL to one backend of PostgreSQL"
NAIVE = "PgBouncer's defaults"
BITES = "failed_after_heal"
# Milliseconds: the pooler's queue of 3 s, its login retry of 1 s, and slack.
# recovery_s: a task whose claim was cut off runs again when its lease of 30 s has ended.
BOUNDS = {"worst_ms": 5_000, "recovery_s": 60}
# What pgbouncer.ini of this service changes, as the program has it.
DEFAULTS = {
    "server_login_retry": 15,
    "query_wait_timeout": 120,
    "query_timeout": 0,
    "client_login_timeout": 60,
    "server_connect_timeout": 15,
}


def run(drill: Drill) -> Figures:
    service = drill.service
    if drill.is_control:
        service.pool_by(DEFAULTS)
    with service.roles("web", "worker", "relay") as roles:
        with drill.load(roles["web"], path=OURS) as load:
            load.hold(2)
            drill.strike(lambda: kill_a_backend(service.postgres))
            drill.heal(lambda: await_login(service.postgres))
            load.hold(drill.seconds(15, 5))
        return drill.figures()


def kill_a_backend(postgres: Postgres) -> None:
    found = postgres.psql("SELECT pid FROM pg_stat_activity WHERE usename = 'app' LIMIT 1")
    os.kill(int(found), signal.SIGKILL)


def await_login(postgres: Postgres) -> None:
    """Until the server takes connections again, by its own account."""

    def takes() -> bool:
        try:
            psycopg.connect(postgres.url("migrator"), connect_timeout=1).close()
        except psycopg.OperationalError:
            return False
        return True

    postgres.process.wait_until(takes, 30)
