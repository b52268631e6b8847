"""What several beats agree on: who sends, and what was sent last."""

from django.db import models

from core.db.models import Model


class Lease(Model):
    """The right to act alone, until `expires_at` by the database's clock."""

    name = models.CharField(max_length=50, primary_key=True)
    holder = models.CharField(max_length=200)
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "core_beat_lease"

    def __str__(self) -> str:
        return f"{self.name}: {self.holder} until {self.expires_at}"


class Tick(Model):
    """The last due time of a schedule entry that was sent.

    One row for each entry, and it only moves forward: `(entry, due_at)` can be claimed once, and
    nothing has to be purged.
    """

    entry = models.CharField(max_length=200, primary_key=True)
    due_at = models.DateTimeField()

    class Meta:
        db_table = "core_beat_tick"

    def __str__(self) -> str:
        return f"{self.entry} at {self.due_at}"
