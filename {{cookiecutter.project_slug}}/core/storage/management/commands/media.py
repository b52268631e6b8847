"""Bring back files that were deleted or overwritten: `manage.py media restore --at TIME`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.files.storage import storages
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from core.storage import StorageUnavailableError
from core.storage.s3 import PrivateS3Storage
from core.storage.versions import changed_since, restore


class Command(BaseCommand):
    """`media restore` lists what it would bring back; with --write, does it. Deletes nothing.

    Files that were made after the time stay, and are not listed: a row may name them.
    """

    help = "Bring back the files of a time: what was deleted or overwritten since."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        action = actions.add_parser("restore", help="list what it would bring back; --write does")
        action.add_argument("--at", required=True, help="2026-11-30T14:05:00Z; without a zone, UTC")
        action.add_argument("--prefix", default="", help="names that begin so alone")
        action.add_argument("--write", action="store_true", help="bring back what is listed")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises `CommandError` for a time to come, and for a storage without versions."""
        at = _time(options["at"])
        storage = storages["default"]
        if not isinstance(storage, PrivateS3Storage):
            raise CommandError("Files are not in a bucket here: only a bucket keeps versions.")
        count = 0
        try:
            for former in changed_since(storage, at, options["prefix"]):
                self.stdout.write(f"{'deleted' if former.is_deleted else 'changed'} {former.name}")
                if options["write"]:
                    restore(storage, former)
                count += 1
        except StorageUnavailableError as error:
            raise CommandError(f"{error}; {count} files were handled before.") from error
        what = "brought back" if options["write"] else "found; --write brings them back"
        self.stderr.write(f"{count} files {what}.")


def _time(text: str) -> datetime:
    try:
        at = parse_datetime(text)
    except ValueError as error:
        raise CommandError(f"{text}: {error}.") from error
    if at is None:
        raise CommandError(f"{text} is no time such as 2026-11-30T14:05:00Z.")
    if timezone.is_naive(at):
        at = timezone.make_aware(at)
    if at > timezone.now():
        raise CommandError(f"{text} is yet to come.")
    return at
