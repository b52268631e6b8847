"""The kernel kills one process of a worker's pool, as it does when memory runs out.

The worker lives and starts another process; the question is what becomes of the task. Here
it runs again after a pause of 10 s, and a message that has killed three processes is a dead letter.
"""

from __future__ import annotations

import os
import signal

from drills.drill import Drill
from drills.report import Figures
from scripts.servers import guardian
from tests.server.roles import Role

INJECTED = "SIGKILL to a process of the worker's pool, in the middle of a task"
NAIVE = "acknowledged before the work"
BITES = "lost"
# Celery's pause of 10 s before it runs again, the task itself, and the queue before it.
BOUNDS = {"failed": 0, "recovery_s": 30}


def run(drill: Drill) -> Figures:
    service = drill.service
    with service.roles("web", "worker", "relay") as roles:
        with drill.load(roles["web"], callers=0, rate=1, seconds=2) as load:
            service.ledger.wait_until(lambda: service.ledger.begun() >= 2, 15)
            drill.strike(lambda: kill_a_child(roles["worker"]))
            drill.heal()
            load.hold(1)
        return drill.figures()


def kill_a_child(worker: Role) -> None:
    children = [entry for entry in guardian.tree(worker.pid) if entry.parent == worker.pid]
    os.kill(children[0].pid, signal.SIGKILL)
