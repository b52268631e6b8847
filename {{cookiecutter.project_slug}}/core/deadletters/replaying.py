"""Send a dead letter again."""

from __future__ import annotations

from typing import Any

from celery import current_app
from django.db.models.functions import Now
from kombu.exceptions import DecodeError

from core.deadletters.models import DeadLetter
from core.executions import leases
from core.executions.once import KEY_HEADER
from core.tasks.base import decoded


class NotReplayableError(Exception):
    """The letter cannot be sent: what came was no message, or its queue is gone."""


def replay(letter: DeadLetter) -> None:
    """Publish the message under its old id, so that an effect that is there is not made again.

    Raises `NotReplayableError`, and `kombu.exceptions.OperationalError` while the broker is away:
    the letter stays as it was.
    """
    app = current_app
    if not letter.can_be_replayed:
        raise NotReplayableError(f"{letter}: what came was no message of ours.")
    if letter.task not in app.tasks:
        raise NotReplayableError(f"{letter}: this release has no task {letter.task}.")
    try:
        args, kwargs = decoded(letter.body)
    except (DecodeError, ValueError) as error:
        raise NotReplayableError(f"{letter}: its arguments cannot be read: {error}") from error
    leases.revive(letter.headers.get(KEY_HEADER) or letter.message_id)
    task: Any = app.tasks[letter.task]
    task.apply_async(
        args,
        kwargs,
        task_id=letter.message_id,
        headers=letter.headers,
        publish_now=True,
    )
    DeadLetter.objects.filter(pk=letter.pk).update(replayed_at=Now())
