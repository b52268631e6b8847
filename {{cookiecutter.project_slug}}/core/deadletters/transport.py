"""kombu's transport for Redis, which lives through an entry of a queue that is no message.

kombu pops the entry, fails to parse it, and the error ends the whole worker: one `LPUSH default x`
by hand, and each worker that reaches it dies. Here it becomes a dead letter.
"""

from __future__ import annotations

import json
from queue import Empty
from typing import Any

from kombu import transport
from kombu.transport import redis

from core.deadletters.models import DeadLetter
from core.deadletters.recording import record


class Channel(redis.Channel):
    """See the module."""

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[misc] # not in the stubs
        except json.JSONDecodeError as error:
            # It left the queue already: nothing but this row has it.
            record(DeadLetter.Kind.GARBAGE, body=error.doc, reason=f"No JSON: {error}")
            raise Empty from error


class Transport(redis.Transport):
    """See the module."""

    Channel = Channel

    def _deliver(self, message: Any, queue: str | None) -> None:
        if isinstance(message, dict) and isinstance(message.get("properties"), dict):
            super()._deliver(message, queue)
            return
        body = json.dumps(message)
        record(
            DeadLetter.Kind.GARBAGE, queue=queue or "", body=body, reason="No message of kombu's."
        )


def install() -> None:
    """Take it for every URL of Redis."""
    for scheme in ("redis", "rediss"):
        transport.TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
