"""Every web process is killed while people read a page that the edge has a copy of.

The copy is older than its age by then, and is given all the same: a page of a minute ago beats an
error. Where nothing stands in front, or the copy ends with its age, each reader gets the error.
"""

from __future__ import annotations

from drills.drill import Drill
from drills.fleet import APPLICATION
from drills.report import Figures
from drills.service import start
from drills.traffic import Traffic
from scripts.servers import ServerError, free_port
from scripts.servers.varnish import INSTALL, Varnish, find_varnish

INJECTED = "SIGKILL to web for longer than a page's age; readers of that page"
NAIVE = "a copy that ends with its age"
BITES = "failed"
BOUNDS = {"failed": 0, "worst_ms": 2000}
PAGE = "/api/drill/page/"  # 1 s of age
# Seconds for which web is away.
AWAY, QUICK = 15, 4
# For how long an old copy is kept.
NO_GRACE = {"set beresp.grace = 6h;": "set beresp.grace = 0s;"}


def run(drill: Drill) -> Figures:
    if not find_varnish():
        raise ServerError(f"Varnish is not installed: {INSTALL}")
    ports = {"PORT": str(free_port()), "METRICS_PORT": str(free_port())}
    web = drill.service.role("web", APPLICATION, env=ports)
    folder = drill.service.postgres.directory.parent / f"edge-{web.port}"
    edge = Varnish(folder, web.port, changes=NO_GRACE if drill.is_control else None)
    start(web)
    try:
        who = Traffic(edge.port, read=PAGE, long_readers=0, orderers=0)
        with edge, drill.traffic(who) as readers:
            readers.hold(2)
            drill.strike(web.process.kill)
            readers.hold(drill.seconds(AWAY, QUICK))
            web = drill.service.role("web", APPLICATION, env=ports)
            drill.heal(lambda: start(web))
            readers.hold(2)
        return drill.figures()
    finally:
        web.stop()
