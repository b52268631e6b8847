"""The inbox: what came in, each once."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from core.db.models import Model
from core.webhooks.signing import ID_LENGTH


class Received(Model):
    """One webhook. Its task gets the row's number, and reads `body`."""

    source = models.CharField(max_length=50)
    webhook_id = models.CharField(max_length=ID_LENGTH)
    body = models.JSONField()
    received_at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        db_table = "core_webhooks_received"
        constraints = (
            models.UniqueConstraint(
                fields=["source", "webhook_id"], name="core_webhooks_received_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.source} {self.webhook_id}"
