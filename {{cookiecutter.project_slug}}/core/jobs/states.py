"""What a job does, by what is known of its run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.executions.models import Execution


class State(models.TextChoices):
    """`running` is said only while a worker renews its lease."""

    PENDING = "pending", _("pending")
    RUNNING = "running", _("running")
    SUCCEEDED = "succeeded", _("succeeded")
    FAILED = "failed", _("failed")


@dataclass(frozen=True)
class Progress:
    """How far a job is, and when it ended."""

    state: State
    ended_at: datetime | None = None


def progress(key: UUID) -> Progress:
    """Of the job whose message is `key`. One statement."""
    run = Execution.objects.filter(key=str(key)).first()
    if run is None:
        return Progress(State.PENDING)
    if run.failed_at:
        return Progress(State.FAILED, run.failed_at)
    if run.completed_at:
        return Progress(State.SUCCEEDED, run.completed_at)
    # Without a holder lease_until is the time at which the message is published again.
    is_held = run.holder != "" and run.lease_until > timezone.now()
    return Progress(State.RUNNING if is_held else State.PENDING)
