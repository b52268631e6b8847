"""Data to look at in development: a login, and whatever each app adds."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.home.demo import EMAIL, PASSWORD
from apps.shop.demo import create_products  # example:shop
from apps.users.models import User


class Command(BaseCommand):
    """Create the demo login and data, or put them right; safe to run at every start."""

    help = "Create a demo login and some data. Refused unless DEBUG is on."

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises `CommandError` unless DEBUG is on: this password is public."""
        if not settings.DEBUG:
            raise CommandError("demo creates a login with a public password: only with DEBUG on.")
        user, _ = User.objects.get_or_create(email=EMAIL, defaults={"name": "Demo"})
        user.is_active = user.is_staff = user.is_superuser = True
        if not user.check_password(PASSWORD):  # a new hash would end the sessions of this login
            user.set_password(PASSWORD)
        user.save()
        create_products(user)  # example:shop
        self.stdout.write(f"Demo login: {EMAIL} with the password {PASSWORD}")
