"""A relay dies after it published and before it marked, and then each message arrives ten times.

"At least once" is what brokers promise. What makes it once is the message's key, which commits with
the effect: nine of ten deliveries find that it is there, or that another has it in hand.
"""

from __future__ import annotations

import redis

from drills.drill import Drill
from drills.report import Figures

INJECTED = "relay SIGKILL between publish and mark; each message copied nine times in the queue"
NAIVE = "a task without a key"
BITES = "dup"
BOUNDS = {"failed": 0, "recovery_s": 60}
ORDERS, COPIES = 30, 9


def run(drill: Drill) -> Figures:
    service = drill.service
    queue = redis.Redis.from_url(service.broker.url)
    with service.roles("web") as roles:
        with drill.load(roles["web"], callers=0, rate=0.001) as load:
            for _ in range(ORDERS):
                load.order()
        if not drill.is_control:
            drill.strike(lambda: service.program("drills.app.dying_relay").wait_for_exit())
        with service.roles(*([] if drill.is_control else ["relay"])):
            service.ledger.wait_until(lambda: queue.llen("default") >= ORDERS, 20)
            drill.strike(lambda: queue.rpush("default", *queue.lrange("default", 0, -1) * COPIES))
            with service.roles("worker"):
                drill.heal()
                return drill.figures()
