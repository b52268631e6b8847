"""A release is killed in the middle of CREATE INDEX CONCURRENTLY, and run again.

PostgreSQL leaves an invalid index behind, which every insert writes and no query reads. The rerun
drops it and builds it anew; meanwhile the processes of the last release serve, and stay ready.
"""

from __future__ import annotations

import signal
from dataclasses import replace

from drills.drill import OURS, Drill
from drills.releasing import PATIENCE, Release
from drills.report import Figures

INJECTED = "SIGKILL to the release while it builds an index CONCURRENTLY; rerun"
NAIVE = "Django's own migrate"
BITES = "unmigrated"
# readyz_flip_s: never not ready.
BOUNDS = {"failed": 0, "readyz_flip_s": 0}
OLD = ("drills.app.web_of_the_last_release:application",)
INVALID = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
BUILDING = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONCURRENTLY%%'"


def run(drill: Drill) -> Figures:
    service, ledger = drill.service, drill.service.ledger
    release = Release(service, *(("--plain",) if drill.is_control else ()))
    with release.of_the_last(), service.roles("web", "worker", "relay", web=OLD) as old:
        with drill.load(old["web"], path=OURS) as load:
            load.hold(1)
            assert release.run("0002") == 0
            # CONCURRENTLY waits for every transaction that is older: the build is half-way for as
            # long as this one is open.
            with release.reader() as older:
                older.execute("INSERT INTO drill_item (request_id) VALUES (gen_random_uuid())")
                building = release.start("0003", env={"PGOPTIONS": "-c lock_timeout=60s"})
                assert ledger.wait_until(lambda: ledger.rows(INVALID) == [(1,)], PATIENCE)
                drill.strike(lambda: building.signal(signal.SIGKILL))
                building.wait_for_exit()
                assert ledger.wait_until(lambda: ledger.rows(BUILDING) == [(0,)], PATIENCE)
            unmigrated = release.run("0003") != 0
            unmigrated += ledger.rows(INVALID)[0][0]
            drill.heal()
            load.hold(drill.seconds(3, 1))
        return replace(drill.figures(), unmigrated=unmigrated)
