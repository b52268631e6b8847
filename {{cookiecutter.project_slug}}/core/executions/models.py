"""What is known of the runs of idempotent tasks."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from core.db.models import Model


class Execution(Model):
    """One message and whether its effect is there.

    Exactly one of three holds: somebody runs it (`lease_until` is ahead), it is done
    (`completed_at`), it was given up (`failed_at`). None of them: its worker died, and it is
    published again from `body`. All times are the database's.
    """

    key = models.CharField(max_length=200, primary_key=True)
    task = models.CharField(max_length=200)
    queue = models.CharField(max_length=50)
    body = models.TextField()
    headers = models.JSONField(default=dict)
    holder = models.CharField(max_length=200)
    lease_until = models.DateTimeField()
    # Runs whose process died in the middle; the third is the last (core/tasks/worker.py).
    losses = models.PositiveSmallIntegerField(db_default=0)
    # How often it was published again: each waits twice as long as the one before.
    returns = models.PositiveSmallIntegerField(db_default=0)
    started_at = models.DateTimeField(db_default=Now())
    completed_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "core_execution"
        indexes = (
            # Small: the runs that are neither done nor given up.
            models.Index(
                fields=["lease_until"],
                name="core_execution_open",
                condition=models.Q(completed_at=None, failed_at=None),
            ),
            models.Index(fields=["completed_at"], name="core_execution_done"),
        )

    def __str__(self) -> str:
        return f"{self.task} {self.key}"
