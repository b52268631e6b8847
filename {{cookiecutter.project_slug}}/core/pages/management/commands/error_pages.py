"""The error pages as files, for the proxy and the CDN that answer while the service cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core.pages.errors import WORDS, render


class Command(BaseCommand):
    """Write one `<status>.html` for each status that has words."""

    help = "Write the error pages into a folder, as <status>.html."
    requires_system_checks = []  # an image is built without database and cache

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises `OSError` when the folder cannot be written."""
        folder: Path = options["folder"]
        folder.mkdir(parents=True, exist_ok=True)
        for status in WORDS:
            (folder / f"{status}.html").write_text(render(status), encoding="utf-8")
        self.stdout.write(f"{len(WORDS)} pages written to {folder}.")
