"""The cache dies for 4 s, and later freezes for 5 s, while people visit with their sessions.

A cache is a comfort: without it a page costs a query more, nobody is logged out, and nobody waits.
A breaker stands before it, so that an outage costs its first requests a timeout and the later ones
nothing.
"""

from __future__ import annotations

from http.client import HTTPConnection

from drills.drill import Drill
from drills.load import HEADERS
from drills.report import Figures
from scripts.servers import HOST
from tests.server.roles import Role

INJECTED = "cache SIGKILL for 4 s, then SIGSTOP for 5 s"
NAIVE = "Django's RedisCache, sessions in it"
BITES = "failed"
BOUNDS = {
    "failed": 0,
    # Milliseconds: most requests come while the breaker is open.
    "median_ms": 150,
    # Three attempts of 0.5 s open the breaker; above is a request without one.
    "worst_ms": 3_000,
}


def run(drill: Drill) -> Figures:
    cache = drill.service.cache
    app = "web_with_plain_cache" if drill.is_control else "web"
    with drill.service.roles("web", web=(f"drills.app.{app}:application",)) as roles:
        web = roles["web"]
        with drill.load(web, path="/api/drill/visits/", cookie=first_visit(web)) as load:
            load.hold(1)
            drill.strike(cache.kill)
            load.hold(drill.seconds(4, 2))
            drill.heal(cache.start)
            load.hold(drill.seconds(3, 2))
            drill.strike(cache.freeze)
            load.hold(drill.seconds(5, 3))
            drill.heal(cache.thaw)
            load.hold(drill.seconds(3, 2))
        return drill.figures(promises=False)


def first_visit(web: Role) -> str:
    """The cookie of a session."""
    connection = HTTPConnection(HOST, web.port, timeout=10)
    connection.request("GET", "/api/drill/visits/", headers=HEADERS)
    return connection.getresponse().headers["Set-Cookie"].partition(";")[0]
