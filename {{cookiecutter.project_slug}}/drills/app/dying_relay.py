"""The role relay, killed at its worst moment: the broker has five messages, the table not one mark.

python -m drills.app.dying_relay
"""

from __future__ import annotations

import os
import signal

import django

django.setup()

from core.outbox.models import Message  # noqa: E402 - models need a Django that is set up
from core.outbox.relay import Relay  # noqa: E402

PUBLISHED = 5


class DyingRelay(Relay):
    published = 0

    def _publish(self, message: Message) -> None:
        super()._publish(message)
        self.published += 1
        if self.published == PUBLISHED:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    DyingRelay().run()
