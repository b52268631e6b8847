"""A user who logs in by e-mail address."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from core.db.managers import PeersManager
from core.sessions.models import SessionOwner


def normalized(email: str | None) -> str:
    """The form in which an address is kept, looked up and counted."""
    return (email or "").strip().lower()


class UserManager(PeersManager["User"], BaseUserManager["User"]):
    """Creates users; addresses are kept in lower case, so that one mailbox is one account."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create and save a user. Raises `ValueError` without an address."""
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=normalized(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create a user who may do everything in the admin."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        """Find a user by address, however it was typed."""
        return self.get(email=normalized(username))


class User(SessionOwner, AbstractBaseUser, PermissionsMixin):
    """An account. Extend this model rather than adding a profile: it is ours from migration one."""

    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(max_length=150, blank=True)
    is_staff = models.BooleanField(_("may use the admin"), default=False)
    is_active = models.BooleanField(_("may log in"), default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    # The second factor that this object's login used: from the backend to the session.
    accepted_factor: int | None = None

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = []

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="users_user_email_lower_case"
            ),
        ]

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        """Lower the address before a form validates its uniqueness."""
        super().clean()
        self.email = normalized(self.email)

    def waits_for_confirmation(self) -> bool:
        """Whether the owner of the address is yet to follow the mailed link.

        Without a row an operator made the account, and vouches for the address.
        """
        from allauth.account.models import EmailAddress  # which needs this model first

        waiting = EmailAddress.objects.filter(user_id=self.pk, email=self.email, verified=False)
        return bool(waiting.exists())
