"""The role `relay`: publishes what the outbox holds, until SIGTERM or SIGINT."""

from __future__ import annotations

import signal
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand

from core import heartbeat
from core.outbox.relay import Relay


class Command(BaseCommand):
    """Run one relay. Two may run, on two machines: they share the work."""

    help = "Publish the outbox until SIGTERM."
    # One of them asks the database, and a relay starts without it, as a worker does.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        relay = Relay()
        relay.on_turn = partial(heartbeat.touch, "relay")
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: relay.stop())
        relay.run()
