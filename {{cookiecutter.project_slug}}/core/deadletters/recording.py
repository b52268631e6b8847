"""From a failure to a row. Nothing here raises: a worker must live through its own bookkeeping."""

from __future__ import annotations

import traceback as tracebacks
from typing import Any

import structlog
from celery import signals
from celery.exceptions import TimeLimitExceeded
from django.db import Error as DatabaseError
from django.db import connection, transaction

from core.deadletters.models import DeadLetter
from core.executions import endings, leases
from core.executions.once import KEY_HEADER
from core.tasks.base import encoded

logger = structlog.get_logger("core.deadletters")

# Characters that are kept of each. A traceback's end says where it was raised.
REASON, TRACEBACK, BODY = 500, 8_000, 64_000
# Of a message's headers, what a replay needs.
KEPT = ("request_id", KEY_HEADER)


@signals.task_failure.connect
def failed(sender: Any, task_id: str, exception: BaseException, **given: Any) -> None:
    """In the pool's process, or in the main one for a task whose process is gone."""
    request = sender.request
    if request.is_eager:
        return
    if isinstance(exception, TimeLimitExceeded) and request.id is None:
        return  # Celery tells the hard limit twice; the second time it knows the request
    headers = {name: request.get(name) for name in KEPT if request.get(name)}
    stack = exception.__traceback__
    record(
        DeadLetter.Kind.FAILED,
        message_id=task_id,
        task=sender.name,
        queue=(request.delivery_info or {}).get("routing_key") or sender.queue_name,
        body=encoded(tuple(given.get("args") or ()), dict(given.get("kwargs") or {})),
        headers=headers,
        reason=f"{type(exception).__name__}: {exception}",
        traceback="".join(tracebacks.format_exception(None, exception, stack)),
    )


def record(kind: DeadLetter.Kind, **fields: Any) -> bool:
    """Write the row, and give the message up. False, and a line, without a database.

    A message of the outbox whose row could not be written is published again when its lease ends.
    One whose task no worker knows is not given up: it is published again until a release knows it,
    and has one row until then.
    """
    fields["reason"] = _text(fields["reason"], REASON)
    fields["body"] = _text(fields.get("body", ""), BODY)
    fields["traceback"] = _text(fields.get("traceback", "")[-TRACEBACK:], TRACEBACK)
    key = fields.get("headers", {}).get(KEY_HEADER) or fields.get("message_id", "")
    try:
        with transaction.atomic():
            if kind == DeadLetter.Kind.UNKNOWN and _is_kept(kind, fields["message_id"]):
                return True
            DeadLetter.objects.create(kind=kind, **fields)
            if key and leases.fail(key):
                endings.given_up.send(sender=DeadLetter, key=key)
    except DatabaseError as error:
        connection.close()
        logger.error("dead letter not kept", task=fields.get("task"), reason=str(error))
        return False
    logger.error(
        "dead letter", kind=str(kind), task=fields.get("task"), task_id=fields.get("message_id")
    )
    return True


def _is_kept(kind: DeadLetter.Kind, message_id: str) -> bool:
    letters = DeadLetter.objects.filter(kind=kind, message_id=message_id, replayed_at=None)
    return message_id != "" and letters.exists()


def _text(value: str, longest: int) -> str:
    return value.replace("\0", "\\0")[:longest]  # PostgreSQL stores no NUL
