"""The disk under the broker is full, and nothing that it is told can be kept.

Redis answers MISCONF to every write and to PING, so that nobody may publish and no worker can take
what is there. The rows wait in PostgreSQL; the workers try until there is room.
"""

from __future__ import annotations

import resource
import sys

from drills.drill import Drill
from drills.report import Figures
from drills.service import Service
from scripts.servers import ServerError, Valkey

INJECTED = "each write of the broker to its file fails for 6 s"
NAIVE = "on_commit(task.delay)"
BITES = "lost"
BOUNDS = {"failed": 0, "median_ms": 300, "recovery_s": 30}
# The signal of a file that would be too long ends a program that does not ignore it; one that does
# gets an error from write(), as on a full disk, and this needs no disk of its own.
IGNORING = '#!/bin/sh\ntrap "" XFSZ\nexec "{program}" "$@"\n'


def run(drill: Drill) -> Figures:
    service = drill.service
    if sys.platform != "linux":
        raise ServerError("Only Linux limits the files of a running process; run D-16 there.")
    broker = on_a_disk_that_fills(service)
    with service.roles("web", "worker", "relay") as roles:
        with drill.load(roles["web"]) as load:
            load.hold(2)
            drill.strike(lambda: let_files_grow(broker, to=0))
            load.hold(drill.seconds(6, 3))
            drill.heal(lambda: let_files_grow(broker, to=resource.RLIM_INFINITY))
            load.hold(2)
        return drill.figures()


def on_a_disk_that_fills(service: Service) -> Valkey:
    """The broker started again, as a program whose writes can fail."""
    old = service.broker
    old.stop()
    program = old.directory / "valkey.sh"
    program.write_text(IGNORING.format(program=old.program))
    program.chmod(0o755)
    new = Valkey(old.directory, "broker", port=old.port, program=program).start()
    service.servers.broker = new
    return new


def let_files_grow(broker: Valkey, *, to: int) -> None:
    """Bytes of one file; below its size each write to it fails."""
    resource.prlimit(broker.process.pid, resource.RLIMIT_FSIZE, (to, resource.RLIM_INFINITY))
