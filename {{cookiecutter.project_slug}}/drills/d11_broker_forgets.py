"""The broker comes back empty: it had no persistence, or somebody cleared the wrong one.

Everybody was told that the work is done. The outbox keeps a row until a worker has claimed the
message: what was not claimed is published again, at once when the relay saw the broker go, and
after a minute when nothing was seen at all.
"""

from __future__ import annotations

import shutil

from drills.drill import Drill
from drills.report import Figures
from scripts.servers import Valkey

INJECTED = "FLUSHALL with full queues; in make test SIGKILL, and its files deleted"
NAIVE = "on_commit(task.delay)"
BITES = "lost"
# A minute until a message that nobody claimed counts as lost, a sweep, and the work.
BOUNDS = {"failed": 0, "recovery_s": 80}


def run(drill: Drill) -> Figures:
    service = drill.service
    with service.roles("web", "relay") as roles:
        with drill.load(roles["web"], callers=1) as load:
            load.hold(1)
            if drill.is_quick:
                drill.strike(lambda: forget(service.broker))
                drill.heal(service.broker.start)
            else:
                drill.strike(service.broker.flush)
                drill.heal()
            load.hold(2)
        with service.roles("worker"):
            return drill.figures(patience=80)


def forget(broker: Valkey) -> None:
    broker.kill()
    shutil.rmtree(broker.directory / "appendonlydir")
