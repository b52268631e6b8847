"""A release alters a table that a reader holds, and everybody else queues behind the ALTER TABLE.

A report that reads for 6 s is enough: the ALTER TABLE waits for it, and each request that touches
the table waits for the ALTER TABLE. The role's lock_timeout lets it give way after half a second;
the run that may try twice ends as one to be run again, with the old schema, and the next one comes
to its turn when the reader is done.
"""

from __future__ import annotations

from dataclasses import replace

from drills.drill import OURS, Drill
from drills.releasing import PATIENCE, Release
from drills.report import Figures

INJECTED = "a reader holds a table for 6 s, ALTER TABLE behind it"
NAIVE = "Django's migrate without a lock_timeout"
BITES = "worst_ms"
BOUNDS = {"failed": 0, "worst_ms": 1_000}
WEB = ("drills.app.web_of_the_last_release:application",)
LATER = 75  # EX_TEMPFAIL
READS = 6.0  # seconds


def run(drill: Drill) -> Figures:
    service = drill.service
    naive = ("--plain",) if drill.is_control else ()
    release = Release(service, *naive)
    env = {"PGOPTIONS": "-c lock_timeout=0"} if drill.is_control else None
    unmigrated = 0
    with release.of_the_last(), service.roles("web", "worker", "relay", web=WEB) as roles:
        with drill.load(roles["web"], path=OURS) as load:
            load.hold(2)
            with release.reader():
                if drill.is_control:
                    drill.strike(lambda: None)
                    migrating = release.start("0002", env=env)
                    assert service.ledger.wait_until(lambda: release.waits(), PATIENCE)
                    load.hold(READS)
                else:
                    drill.strike(lambda: None)
                    hurried = release.start("0002", "--attempts=2")
                    unmigrated += hurried.wait_for_exit(PATIENCE) != LATER
                    unmigrated += "remark" in release.columns()
                    migrating = release.start("0002")
                    migrating.wait_for_line("Again in", PATIENCE)
                    load.hold(drill.seconds(READS, 2))
            drill.heal()
            unmigrated += migrating.wait_for_exit(PATIENCE) != 0
            unmigrated += "remark" not in release.columns()
            load.hold(drill.seconds(3, 1))
        return replace(drill.figures(), unmigrated=unmigrated)
