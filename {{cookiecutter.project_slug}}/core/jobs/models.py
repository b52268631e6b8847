"""Whose job it is, and what came of it."""

from __future__ import annotations

from functools import cached_property

from django.db import models
from django.db.models.functions import Now

from core.db.models import Model
from core.jobs.states import Progress, State, progress

URL_LENGTH = 500


class Job(Model):
    """One message of the outbox that a client may ask about. Its state is that of its run."""

    # The message's, and so the task's and the run's.
    id = models.UUIDField(primary_key=True)
    owner_id = models.BigIntegerField()
    task = models.CharField(max_length=200)
    webhook_url = models.URLField(max_length=URL_LENGTH, blank=True)
    result = models.JSONField(null=True)
    created_at = models.DateTimeField(db_default=Now(), db_index=True)
    # Of one that succeeded; a failed one may be replayed, and its run says when it failed.
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "core_jobs_job"

    def __str__(self) -> str:
        return f"{self.task} {self.pk}"

    @cached_property
    def progress(self) -> Progress:
        """One statement, for a job that has not succeeded."""
        if self.ended_at:
            return Progress(State.SUCCEEDED, self.ended_at)
        return progress(self.pk)
