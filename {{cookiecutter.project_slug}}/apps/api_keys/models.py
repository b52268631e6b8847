"""API keys as they are kept: enough to recognise one, nothing to make one from."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.api_keys.tokens import Token, new_token
from apps.users.models import User
from core.db.models import Model

# Of a key that names no end.
LIFETIME = timedelta(days=365)
# How exact `last_used_at` is: one write an hour for a key, not one for each call.
USE_RESOLUTION = timedelta(hours=1)


class ApiKey(Model):
    """One key of one user; it can do what the user can, except to manage keys."""

    user = models.ForeignKey(
        # No index of its own: the list's begins with it.
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="api_keys",
        db_index=False,
    )
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=40, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("API key")
        indexes = [
            models.Index(fields=["user", "-created_at", "-id"], name="api_keys_apikey_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"

    @classmethod
    def issue(cls, *, user: User, name: str, expires_at: datetime | None) -> tuple[ApiKey, Token]:
        """Create a key. The token is in the caller's hands alone: it cannot be read again."""
        token = new_token()
        key = cls.objects.create(
            user=user,
            name=name,
            prefix=token.prefix,
            digest=token.digest,
            expires_at=expires_at or timezone.now() + LIFETIME,
        )
        key.refresh_from_db(fields=["created_at"])
        return key, token

    @property
    def is_valid(self) -> bool:
        """Neither revoked nor expired, and of a user who may log in."""
        return (
            self.revoked_at is None
            and self.expires_at > timezone.now()
            and bool(self.user.is_active)
        )

    def revoke(self) -> None:
        """End the key, for ever; a second time changes nothing."""
        ApiKey.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=timezone.now())

    def note_use(self) -> bool:
        """Remember that it was used, to the hour; True if this call wrote, one of many at once."""
        now = timezone.now()
        stale = now - USE_RESOLUTION
        if self.last_used_at is not None and self.last_used_at >= stale:
            return False
        rows = ApiKey.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=stale), pk=self.pk)
        return rows.update(last_used_at=now) == 1
