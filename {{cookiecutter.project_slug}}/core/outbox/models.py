"""What must be published."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from core.db.models import Model


class Message(Model):
    """One run of a task that a committed transaction asked for.

    `message_id` is the task's id, however often it is published. The row leaves when a worker has
    claimed the message; until then `delivered_at` says when the broker took it, and one that the
    broker lost is pending again (`core/outbox/sweeping.py`).
    """

    message_id = models.CharField(max_length=200, unique=True)
    key = models.CharField(max_length=100, blank=True)
    task = models.CharField(max_length=200)
    queue = models.CharField(max_length=50)
    # JSON as Celery's serializer writes it, dates and decimals included.
    body = models.TextField()
    # Of the message: the id of the request that caused it, the trace.
    headers = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())
    delivered_at = models.DateTimeField(null=True)
    # How often it was published; more than once when the broker lost it.
    deliveries = models.PositiveSmallIntegerField(db_default=0)
    # Attempts that failed for a reason of its own, such as a queue that is gone.
    failures = models.PositiveSmallIntegerField(db_default=0)
    due_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "core_outbox_message"
        indexes = (
            # Small whatever the table holds: these rows are the ones not delivered yet.
            models.Index(
                fields=["id"], name="core_outbox_pending", condition=models.Q(delivered_at=None)
            ),
            models.Index(
                fields=["key", "id"],
                name="core_outbox_pending_key",
                condition=models.Q(delivered_at=None) & ~models.Q(key=""),
            ),
            models.Index(fields=["delivered_at"], name="core_outbox_delivered"),
        )

    def __str__(self) -> str:
        return f"{self.task} {self.message_id}"
