"""The users app."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


class UsersConfig(AppConfig):
    """People who log in."""

    name = "apps.users"
    label = "users"

    def ready(self) -> None:
        """Carry the second factor of a login into its session."""
        user_logged_in.connect(_mark_session, dispatch_uid="apps.users")


def _mark_session(request: Any, user: Any, **_: Any) -> None:
    from apps.users import second_factor

    if user.accepted_factor is not None:
        second_factor.mark(request.session, user.accepted_factor)
