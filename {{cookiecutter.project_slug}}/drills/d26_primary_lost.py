"""The primary is lost with its disk, and the standby is promoted.

For its last seconds nothing reached the standby. With synchronous replication nobody was told that
his order was taken in them; asynchronously they were, and orders and effects are gone.
"""

from __future__ import annotations

import os
import signal

from drills.drill import OURS, Drill
from drills.report import Figures
from scripts.servers import Standby

INJECTED = "standby cut off for 3 s, then SIGKILL to the primary; promotion"
NAIVE = "asynchronous replication"
BITES = "lost"
# Milliseconds: what waits for the dead server until the pooler is pointed at the new one.
# recovery_s: a task whose claim was cut off runs again when its lease of 30 s has ended.
BOUNDS = {"worst_ms": 15_000, "recovery_s": 60}
# Seconds. Longer than the worker's backlog; shorter than the role's statement_timeout of 5 s, at
# which PostgreSQL stops waiting for the standby and calls the commit done.
CUT_OFF = 3.0


def run(drill: Drill) -> Figures:
    service = drill.service
    primary = service.postgres
    with Standby(primary.directory.with_name("standby"), primary) as standby:
        if not drill.is_control:
            # Every name: one that is asked for and absent would stop all commits.
            primary.psql("ALTER SYSTEM SET synchronous_standby_names = '*'")
            primary.psql("SELECT pg_reload_conf()")
        with service.roles("web", "worker", "relay") as roles:
            with drill.load(roles["web"], path=OURS, callers=1, rate=5) as load:
                load.hold(2)
                # The sender: what is in the network already arrives after its server's death.
                sender = int(primary.psql("SELECT pid FROM pg_stat_replication"))
                drill.strike(lambda: os.kill(sender, signal.SIGSTOP))
                load.hold(CUT_OFF)
                drill.strike(primary.kill)

                def fail_over() -> None:
                    standby.promote()
                    service.fail_over(standby)

                drill.heal(fail_over)
                load.hold(drill.seconds(10, 5))
            return drill.figures()
