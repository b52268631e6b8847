"""The end of a job, in the worker."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celery import current_task, signals
from celery.exceptions import TimeLimitExceeded
from django.db import transaction
from django.db.models.functions import Now

from core.jobs.models import Job
from core.jobs.states import State
from core.webhooks import sending


def finish(result: dict[str, Any]) -> None:
    """As `core.jobs.finish`."""
    if (pk := _id(current_task.request.id)) is None:
        return
    job = Job.objects.select_for_update().filter(pk=pk).first()
    if job is None:
        return
    job.result, job.ended_at = result, Now()
    job.save(update_fields=["result", "ended_at"])
    _notify(job, State.SUCCEEDED)


@signals.task_failure.connect
def failed(sender: Any, task_id: str, exception: BaseException, **_: Any) -> None:
    """Tell who waits. The state itself is that of the run, which the dead letter has ended."""
    if sender.request.is_eager or (pk := _id(task_id)) is None:
        return
    if isinstance(exception, TimeLimitExceeded) and sender.request.id is None:
        return  # Celery tells the hard limit twice; the second time it knows the request
    with transaction.atomic():
        if job := Job.objects.filter(pk=pk, ended_at=None).exclude(webhook_url="").first():
            _notify(job, State.FAILED)


def _notify(job: Job, state: State) -> None:
    if job.webhook_url:
        data = {"id": str(job.pk), "state": str(state), "result": job.result}
        sending.send(job.webhook_url, "job.ended", data)


def _id(task_id: str | None) -> UUID | None:
    try:
        return UUID(task_id or "")
    except ValueError:
        return None
