"""The errors as files, for the proxy and the CDN that answer while the service cannot."""

from __future__ import annotations

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.safestring import SafeString, mark_safe

from core.pages.errors import CODES, WORDS, render

# SSI's command for a variable; elsewhere a comment of HTML, which shows nothing.
_ECHO = '<!--#echo var="{}" -->'


class Command(BaseCommand):
    """Write `<status>.html` and `<status>.json`, a problem (RFC 9457), for each status with words.

    With `--ssi NAME` both have a place for the request's id, which a proxy that runs SSI fills from
    its variable; deploy/nginx/errors.conf says which.
    """

    help = "Write the errors into a folder, as <status>.html and <status>.json."
    requires_system_checks = []  # an image is built without database and cache

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--ssi", metavar="NAME", help="the proxy's variable with a request's id"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises `OSError` when the folder cannot be written."""
        folder: Path = options["folder"]
        folder.mkdir(parents=True, exist_ok=True)
        # Not escaped: it is ours, and the proxy must find it as it is.
        place = mark_safe(_ECHO.format(options["ssi"])) if options["ssi"] else None  # noqa: S308
        for status in WORDS:
            page = render(status, request_id=place)
            (folder / f"{status}.html").write_text(page, encoding="utf-8")
            (folder / f"{status}.json").write_text(_problem(status, place), encoding="utf-8")
        self.stdout.write(f"{len(WORDS)} pages written to {folder}.")


def _problem(status: int, place: SafeString | None) -> str:
    """As `core.problems.problems.problem`, without `instance`: a file is for every address."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": str(WORDS[status].happened),
        "code": CODES[status],
    }
    text = json.dumps(body)
    # Outside of the encoder, which would escape the quotes of SSI's command.
    return f'{text[:-1]}, "request_id": "{place}"' + "}" if place else text
