"""Old code and new code run side by side, on the schema that the new one's migrations made.

For the minutes of a release, and again after a roll-back. The schema expands first: what new code
writes is there, with a default, and what it does not know any more has one. Old code writes on as
before, and new code writes into a table that still has the old column.
"""

from __future__ import annotations

from dataclasses import replace

from drills.drill import OURS, Drill
from drills.load import Load
from drills.releasing import Release
from drills.report import Figures

INJECTED = "migrations of the next release under old code, then old and new code side by side"
NAIVE = "a column renamed in one step"
BITES = "failed"
BOUNDS = {"failed": 0}
OLD = ("drills.app.web_of_the_last_release:application",)
NEW = ("drills.app.web_of_this_release:application",)


def run(drill: Drill) -> Figures:
    service = drill.service
    release = Release(service, *(("--careless",) if drill.is_control else ()))
    with release.of_the_last(), service.roles("web", "worker", "relay", web=OLD) as old:
        with drill.load(old["web"], path=OURS, callers=2) as load:
            load.hold(1)
            drill.strike(lambda: None)
            unmigrated = release.run("0002") != 0
            with (
                service.roles("web", web=NEW) as new,
                Load(new["web"].port, OURS, callers=2).running() as beside,
            ):
                load.hold(drill.seconds(6, 2))
            drill.heal()  # the new release is rolled back, and its schema stays
            load.hold(drill.seconds(3, 1))
        load.answers.extend(beside.answers)
        return replace(drill.figures(), unmigrated=int(unmigrated))
