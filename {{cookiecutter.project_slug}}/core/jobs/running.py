"""The end of a job, in the worker."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog
from celery import current_task
from django.core.exceptions import ImproperlyConfigured
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.dispatch import receiver

from core.executions import endings
from core.jobs.models import Job
from core.jobs.states import State
from core.webhooks import sending

logger = structlog.get_logger("core.jobs")


def finish(result: dict[str, Any]) -> None:
    """As `core.jobs.finish`."""
    _open(current_task.request.id).update(result=result)


@receiver(endings.completed)
def completed(key: str, **_: Any) -> None:
    """Note the end in the transaction of the effect, and tell who waits."""
    if _open(key).update(ended_at=Now()):
        _notify(Job.objects.get(pk=key), State.SUCCEEDED)


@receiver(endings.given_up)
def given_up(key: str, **_: Any) -> None:
    """Tell who waits. The state itself is that of the run."""
    if job := _open(key).first():
        _notify(job, State.FAILED)


def _notify(job: Job, state: State) -> None:
    if not job.webhook_url:
        return
    data = {"id": str(job.pk), "state": str(state), "result": job.result}
    try:
        sending.send(job.webhook_url, "job.ended", data)
    except ImproperlyConfigured as error:  # the secrets went after the job was accepted
        logger.error("webhook not sent", job=str(job.pk), reason=str(error))


def _open(key: str | None) -> QuerySet[Job]:
    """The job that has not ended; none for the key of something else."""
    try:
        return Job.objects.filter(pk=UUID(key or ""), ended_at=None)
    except ValueError:
        return Job.objects.none()
