"""Celery's consumer, which keeps what it cannot run instead of throwing it away.

Named by `CELERY_WORKER_CONSUMER`. Celery logs such a message and acknowledges it; here it goes to
the table first. While the database is away it goes back to its queue, a little later.
"""

from __future__ import annotations

import json
from typing import Any

from celery.worker.consumer import Consumer as CeleryConsumer
from kombu.exceptions import ContentDisallowed
from kombu.serialization import loads

from core.deadletters.models import DeadLetter
from core.deadletters.recording import KEPT, record
from core.tasks.base import encoded

# Seconds until a message that could not be kept is handed back.
AGAIN = 10.0


class Consumer(CeleryConsumer):
    """See the module."""

    def on_unknown_task(self, body: Any, message: Any, exc: Exception) -> None:
        """A name that this worker's code does not have: deleted, renamed, or of a newer release."""
        headers = message.headers or {}
        name = headers.get("task") or "?"
        kept = self._keep(
            message,
            DeadLetter.Kind.UNKNOWN,
            message_id=str(headers.get("id") or ""),
            task=str(name)[:200],
            headers={key: headers[key] for key in KEPT if headers.get(key)},
            body=_arguments(message),
            reason=f"No worker of this release knows the task {name}.",
        )
        if kept:
            super().on_unknown_task(body, message, exc)

    def on_unknown_message(self, body: Any, message: Any) -> None:
        """A message that is none of Celery's."""
        if self._keep_garbage(message, "It has no headers of Celery."):
            super().on_unknown_message(body, message)

    def on_invalid_task(self, body: Any, message: Any, exc: Exception) -> None:
        """A body of the wrong shape."""
        if self._keep_garbage(message, f"{type(exc).__name__}: {exc}"):
            super().on_invalid_task(body, message, exc)

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """A body that is not what its headers say."""
        if self._keep_garbage(message, f"{type(exc).__name__}: {exc}"):
            super().on_decode_error(message, exc)

    def create_task_handler(self, *args: Any, **options: Any) -> Any:
        """Celery's, which unpacks some bodies without a look and ends the worker with the error."""
        handle = super().create_task_handler(*args, **options)

        def handle_or_keep(message: Any) -> Any:
            try:
                return handle(message)
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                if message.acknowledged:
                    raise
                return self.on_invalid_task(None, message, error)

        return handle_or_keep

    def _keep_garbage(self, message: Any, reason: str) -> bool:
        headers = message.headers if isinstance(message.headers, dict) else {}
        return self._keep(
            message,
            DeadLetter.Kind.GARBAGE,
            message_id=str(headers.get("id") or "")[:200],
            task=str(headers.get("task") or "")[:200],
            body=_raw(message),
            reason=reason,
        )

    def _keep(self, message: Any, kind: DeadLetter.Kind, **fields: Any) -> bool:
        queue = (message.delivery_info or {}).get("routing_key") or ""
        kept = record(kind, queue=str(queue)[:50], **fields)
        if not kept:
            self.timer.call_after(AGAIN, message.requeue)
        return kept


def _arguments(message: Any) -> str:
    """As `encoded`, or what came where that cannot be read."""
    try:
        args, kwargs, _ = loads(
            message.body,
            message.content_type,
            message.content_encoding,
            accept=["application/json"],
        )
        return encoded(tuple(args), dict(kwargs))
    except (ContentDisallowed, ValueError, TypeError):
        return _raw(message)


def _raw(message: Any) -> str:
    body = message.body
    return (
        body.decode(errors="replace") if isinstance(body, bytes) else json.dumps(body, default=str)
    )
