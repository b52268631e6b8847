"""The broker dies, comes back, and freezes, while requests commit.

A task sent after the commit is gone when the broker does not take it: the order stands, the client
has an error or waits, and nobody sends the receipt. With the outbox the request never meets the
broker; the relay publishes what waits when the broker is back.
"""

from __future__ import annotations

from drills.drill import Drill
from drills.report import Figures

INJECTED = "broker SIGKILL for 6 s, then SIGSTOP for 6 s"
NAIVE = "on_commit(task.delay)"
BITES = "lost"
BOUNDS = {
    "failed": 0,
    # Milliseconds: what an API may take while the broker is away.
    "median_ms": 300,
    # A stall of this machine is no failure; a request that waits for a frozen broker is one.
    "worst_ms": 3_000,
    # Seconds from the broker's return to the last effect.
    "recovery_s": 30,
}


def run(drill: Drill) -> Figures:
    broker, away = drill.service.broker, drill.seconds(6, 3)
    with drill.service.roles("web", "worker", "relay") as roles:
        with drill.load(roles["web"]) as load:
            load.hold(2)
            drill.strike(broker.kill)
            load.hold(away)
            drill.heal(broker.start)
            load.hold(2)
            drill.strike(broker.freeze)
            load.hold(away)
            drill.heal(broker.thaw)
            load.hold(2)
        return drill.figures()
