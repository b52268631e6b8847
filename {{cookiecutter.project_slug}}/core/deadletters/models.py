"""What failed for good."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from core.db.models import Model


class DeadLetter(Model):
    """One message, why it failed, and what it takes to send it again.

    A message that fails again after a replay is a row of its own.
    """

    class Kind(models.TextChoices):
        FAILED = "failed", "failed for good"
        UNKNOWN = "unknown", "no worker knows the task"
        GARBAGE = "garbage", "no message of ours"

    kind = models.CharField(max_length=10, choices=Kind)
    message_id = models.CharField(max_length=200, blank=True, db_index=True)
    task = models.CharField(max_length=200, blank=True)
    queue = models.CharField(max_length=50, blank=True)
    # JSON of the arguments; of garbage the beginning of what came.
    body = models.TextField(blank=True)
    headers = models.JSONField(default=dict)
    reason = models.CharField(max_length=500)
    traceback = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now(), db_index=True)
    replayed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "core_deadletters_deadletter"
        verbose_name = "dead letter"

    def __str__(self) -> str:
        return f"{self.task or self.kind} {self.message_id}".strip()

    @property
    def can_be_replayed(self) -> bool:
        return self.kind != self.Kind.GARBAGE
