"""kombu's transport for Redis, which lives through what ends a worker for good.

An entry of a queue that is no message: kombu pops it, fails to parse it, and one `LPUSH default x`
by hand ends each worker that reaches it. Here it becomes a dead letter.

A broker that goes while the worker holds a message: kombu 5.7 gives the connection up, then asks it
where the server was, to put the message back. The worker ended with "'NoneType' object has no
attribute 'hostname'" in one of four kills of a busy broker; here it connects again.
"""

from __future__ import annotations

import json
from queue import Empty
from typing import Any

from kombu import transport
from kombu.transport import redis
from redis.exceptions import ConnectionError as NoConnectionError

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

    def _connparams(self, asynchronous: bool = False) -> Any:
        if getattr(self.connection, "client", None) is None:
            raise NoConnectionError("The connection of this channel was given up.")
        return super()._connparams(asynchronous)  # type: ignore[misc] # not in the stubs


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
