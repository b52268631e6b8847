"""What a session needs of the account it belongs to: one column, read with the user anyway."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import F
from django.utils import timezone

from core.db.models import Model

# From the mark on, in which copies are still distrusted: above Celery's hard limit of 150 s, the
# longest that a transaction stays open after its mark, by more than the clocks of hosts differ.
MARGIN = timedelta(seconds=180)


class MarkField(models.DateTimeField):  # type: ignore[type-arg]  # no subscript at run time
    """A time that only `update()` writes.

    `save()` leaves the column as it is in the database: an account that was read before a logout
    and saved after it would take the mark away.
    """

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        return super().pre_save(model_instance, add) if add else F(self.attname)

    def deconstruct(self) -> Any:
        name, _, arguments, options = super().deconstruct()
        return name, "django.db.models.DateTimeField", arguments, options


class SessionOwner(Model):
    """A base of the user model."""

    # Copies of this user's sessions that were taken until then are not believed.
    sessions_stale_until = MarkField(null=True, editable=False)

    class Meta:
        abstract = True

    def distrusts(self, copied_at: datetime | None) -> bool:
        """Whether a copy taken at that time may hold a session that has ended. None: no copy."""
        return (
            copied_at is not None
            and self.sessions_stale_until is not None
            and copied_at <= self.sessions_stale_until
        )


def distrust_copies(owners: models.QuerySet[Any]) -> None:
    """Mark these users. In the transaction that ends a session: both happen or neither does."""
    owners.update(sessions_stale_until=timezone.now() + MARGIN)
