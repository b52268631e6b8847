"""What has been tried, and until when it counts."""

from django.db import models

from core.db.models import Model


class Counter(Model):
    """Attempts under one key until `expires_at`, by the database's clock.

    The key holds digests only: the table is no list of addresses and who typed them.
    """

    key = models.CharField(max_length=160, primary_key=True)
    count = models.PositiveIntegerField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "core_lockout_counter"

    def __str__(self) -> str:
        return f"{self.key}: {self.count} until {self.expires_at}"
