"""What a job does, by what is known of its run."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.executions.models import Execution
from core.jobs.models import Job


class State(models.TextChoices):
    """`running` is said only while a worker renews its lease."""

    PENDING = "pending", _("pending")
    RUNNING = "running", _("running")
    SUCCEEDED = "succeeded", _("succeeded")
    FAILED = "failed", _("failed")


def state(job: Job) -> State:
    """One statement, for a job that has not ended."""
    if job.ended_at:
        return State.SUCCEEDED
    run = Execution.objects.filter(key=str(job.pk)).first()
    if run is None:
        return State.PENDING
    if run.failed_at:
        return State.FAILED
    if run.completed_at:
        return State.SUCCEEDED
    # Without a holder lease_until is the time at which the message is published again.
    is_held = run.holder != "" and run.lease_until > timezone.now()
    return State.RUNNING if is_held else State.PENDING
