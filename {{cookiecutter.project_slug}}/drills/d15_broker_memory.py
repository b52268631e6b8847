"""The broker's memory is full: nobody works, and orders keep coming.

A cache that is full forgets; a queue must refuse. With noeviction the relay is refused and the rows
wait in PostgreSQL; with an LRU policy, as a managed Redis often has, the queue itself is what was
not used for longest, and it is gone.
"""

from __future__ import annotations

import redis

from drills.drill import Drill
from drills.report import Figures

INJECTED = "maxmemory of the broker 200 kB above what it uses, and no worker"
NAIVE = "allkeys-lru, on_commit(task.delay)"
BITES = "lost"
BOUNDS = {"failed": 0, "recovery_s": 30}
ROOM = 200_000  # bytes: some 150 messages


def run(drill: Drill) -> Figures:
    service = drill.service
    broker = redis.Redis.from_url(service.broker.url)

    def fill() -> None:
        policy = "allkeys-lru" if drill.is_control else "noeviction"
        broker.config_set("maxmemory-policy", policy)
        broker.config_set("maxmemory", broker.info("memory")["used_memory"] + ROOM)

    with service.roles("web", "relay") as roles:
        with drill.load(roles["web"], rate=20) as load:
            drill.strike(fill)
            load.hold(drill.seconds(8, 4))
            drill.heal(lambda: broker.config_set("maxmemory", 0))
        with service.roles("worker"):
            return drill.figures()
