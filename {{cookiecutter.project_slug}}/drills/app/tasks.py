"""One effect, by a task as this service writes them and by one as Celery's tutorial does."""

from __future__ import annotations

import time

import celery
from celery import shared_task
from django.db import connection

from core.executions.once import IdempotentTask, effect


def _take_effect(request_id: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO drill_effect (request_id) VALUES (%s)", [request_id])


def _begin(request_id: str, seconds: float) -> None:
    """Say that it runs, so that a drill can kill it in the middle."""
    if seconds:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO drill_begun (request_id) VALUES (%s)", [request_id])
        connection.close()
        time.sleep(seconds)


@shared_task(base=IdempotentTask)
def once(request_id: str, seconds: float = 0.0) -> None:
    _begin(request_id, seconds)
    with effect():
        _take_effect(request_id)


# Celery's own base and its default of acknowledging a message before it is worked on.
@shared_task(base=celery.Task, acks_late=False)
def naive(request_id: str, seconds: float = 0.0) -> None:
    _begin(request_id, seconds)
    _take_effect(request_id)
