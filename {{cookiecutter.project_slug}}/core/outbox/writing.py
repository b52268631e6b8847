"""The row of a message, in the caller's transaction."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from celery import current_app
from django.db import DEFAULT_DB_ALIAS, connections, transaction

from core.executions.once import IdempotentTask
from core.outbox import BODY_LENGTH, KEY_LENGTH, waking
from core.outbox.models import Message
from core.requests.context import current_request_id
from core.tasks.base import decoded, encoded


def write(task: IdempotentTask, args: tuple[Any, ...], kwargs: dict[str, Any], key: str) -> str:
    """As `core.outbox.send`."""
    if not isinstance(task, IdempotentTask):
        raise TypeError(
            f"{getattr(task, 'name', task)!r} is not idempotent, and a message may arrive more "
            "than once: declare it with @shared_task(base=IdempotentTask)."
        )
    if len(key) > KEY_LENGTH:
        raise ValueError(f"The key {key[:30]!r}… has {len(key)} characters; {KEY_LENGTH} fit.")
    declared: Any = task
    declared.__header__(*args, **kwargs)  # a wrong number of arguments fails here, not in a worker
    body = encoded(args, kwargs)
    if len(body) > BODY_LENGTH:
        raise ValueError(
            f"The arguments of {task.name} have {len(body)} characters; {BODY_LENGTH} fit: "
            "pass the id of a row that holds them."
        )
    request_id = current_request_id()
    message = Message.objects.create(
        message_id=str(uuid4()),
        key=key,
        task=task.name,
        queue=task.queue_name,
        body=body,
        headers={"request_id": request_id} if request_id else {},
    )
    _nudge_once()
    return message.message_id


def _nudge_once() -> None:
    """On commit, once for a transaction however many messages it writes."""
    database = connections[DEFAULT_DB_ALIAS]
    if database.in_atomic_block:
        waiting: list[tuple[Any, ...]] = list(database.run_on_commit)
        if any(hook is _committed for _, hook, _ in waiting):
            return
    # robust: a relay that is not nudged polls, and the response must not change.
    transaction.on_commit(_committed, robust=not current_app.conf.task_always_eager)


def _committed() -> None:
    if current_app.conf.task_always_eager:
        _run_here()
    else:
        waking.nudge()


def _run_here() -> None:
    """The whole way of a message in the process of a test: the relay's part and the worker's."""
    for message in Message.objects.filter(delivered_at=None).order_by("pk"):
        message.delete()
        args, kwargs = decoded(message.body)
        current_app.tasks[message.task].apply(args, kwargs, task_id=message.message_id)
