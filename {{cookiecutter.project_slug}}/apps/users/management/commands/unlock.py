"""For whoever answers "I cannot log in"."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.users import guards, second_factor
from apps.users.models import User, normalized


class Command(BaseCommand):
    """Let somebody try again at once, and with `--second-factor` enrol a new one."""

    help = "Delete the lockout counters of an account; optionally its second factor."

    def add_arguments(self, parser: CommandParser) -> None:
        """An address, and whether the second factor goes too."""
        parser.add_argument("email")
        parser.add_argument(
            "--second-factor",
            action="store_true",
            help="also remove the second factor and its recovery codes; verify who asks",
        )

    def handle(self, *args: Any, email: str, second_factor: bool, **options: Any) -> None:
        """Raises `CommandError` for an unknown address."""
        user = User.objects.filter(email=normalized(email)).first()
        if user is None:
            raise CommandError(f"{email}: no such account.")
        counters = guards.unlock(user)
        self.stdout.write(f"{user.email}: {counters} counters deleted.")
        if second_factor:
            removed = _reset(user)
            self.stdout.write(f"{user.email}: {removed} factors removed; the next login enrols.")


_reset = second_factor.reset
