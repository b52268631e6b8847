"""Stored files that no row names."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand, CommandParser
from django.db.models import FileField, Model
from django.utils import timezone

from core.storage.tasks import delete_files

# Hours. A file is stored before its row is committed, and a task that wrote one may be retried for
# a quarter of an hour: a day is far above both.
SAFE_AGE = 24


class Command(BaseCommand):
    """List orphans; with --delete, delete them. Each is a file that a lost task left behind."""

    help = "List stored files that no row names; --delete deletes them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--delete", action="store_true", help="delete what is listed")
        parser.add_argument(
            "--hours", type=int, default=SAFE_AGE, help=f"younger files stay (default {SAFE_AGE})"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """One query for each file field and page of 1,000 names."""
        newest = timezone.now() - timedelta(hours=options["hours"])
        count = 0
        for page in default_storage.pages():  # type: ignore[attr-defined]
            orphans = _unnamed([name for name, changed in page if changed < newest])
            for name in orphans:
                self.stdout.write(name)
            if orphans and options["delete"]:
                delete_files.delay(orphans)
            count += len(orphans)
        what = "sent to be deleted" if options["delete"] else "found; --delete deletes them"
        self.stderr.write(f"{count} orphaned files {what}.")


def _unnamed(names: list[str]) -> list[str]:
    left = set(names)
    for model, field in _file_fields():
        if left:
            found = model._default_manager.filter(**{f"{field}__in": left})
            left -= set(found.values_list(field, flat=True))
    return sorted(left)


def _file_fields() -> Iterable[tuple[type[Model], str]]:
    return [
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, FileField)
    ]
