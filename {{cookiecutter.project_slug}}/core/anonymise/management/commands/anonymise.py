"""Mask a copy of production: `manage.py anonymise --database NAME`."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.anonymise.masking import mask
from core.anonymise.refusals import refusals

KEY_BYTES = 32  # at least: a shorter key can be tried out


class Command(BaseCommand):
    """Mask the database of this process, as its owner and past the pooler, in place.

    Refuses production, a database in use, and one with a table or a column that nobody classified.
    """

    help = "Mask a copy of production in place; there is no way back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--database", required=True, help="its name, so that it is meant")
        parser.add_argument(
            "--key-file", type=Path, help="32 bytes or more, for the same masks as last time"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises `CommandError` with every reason not to."""
        key = secrets.token_bytes(KEY_BYTES)
        if options["key_file"]:
            key = options["key_file"].read_bytes()
            if len(key) < KEY_BYTES:
                raise CommandError(f"{options['key_file']} has fewer than {KEY_BYTES} bytes.")
        if reasons := list(refusals(options["database"])):
            raise CommandError("Nothing was changed.\n  " + "\n  ".join(reasons))
        for table, rows in mask(key):
            self.stdout.write(f"{table}: {'emptied' if rows < 0 else f'{rows} rows'}")
