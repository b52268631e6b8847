"""What was answered."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from core.db.models import Model

KEY_LENGTH = 255


class Answer(Model):
    """The answer to one request of one user, for whoever sends it again.

    It commits with the request's effect: there is never one without the other.
    """

    user_id = models.BigIntegerField()
    # Method and pattern of the address, which is as short as the code that names it.
    route = models.CharField(max_length=300)
    key = models.CharField(max_length=KEY_LENGTH)
    # SHA-256 of the address and the body.
    fingerprint = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        db_table = "core_idempotency_answer"
        constraints = (
            models.UniqueConstraint(
                fields=["user_id", "route", "key"], name="core_idempotency_answer_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.route} {self.key}"
