"""What is running: versions, settings, migrations."""

from __future__ import annotations

import platform
from functools import cache

import django
from django.conf import settings

from apps.home.asking import ask_all
from apps.home.dependencies import LIMIT
from apps.home.panels import NOTE, UP, WARNING, Cell, State, Table
from core.health import services
from core.health.database import conninfo

_MAIL = {
    "console": "printed in the worker's terminal",
    "locmem": "kept in memory",
    "smtp": "sent",
}


def build() -> Table:
    """Known without asking anybody, but for the migrations."""
    versions = f"Django {django.__version__}, Python {platform.python_version()}"
    mailer = str(settings.MAILERS["default"]["BACKEND"]).split(".")[-2]
    return Table(
        ("What", "Value"),
        [
            [Cell("Release"), Cell(settings.RELEASE)],
            [Cell("Settings"), Cell(settings.ENVIRONMENT)],
            [Cell("Versions"), Cell(versions)],
            [Cell("Migrations"), Cell(state=_migrations())],
            [Cell("Mail"), Cell(_MAIL.get(mailer, mailer))],
        ],
    )


def _migrations() -> State:
    check = services.migrations(conninfo(settings.DATABASES["default"]), _known)
    found = ask_all({"migrations": check}, LIMIT)["migrations"]
    if isinstance(found, Exception):
        return State(NOTE, "not known")
    _, problem = found
    return State(WARNING, problem) if problem else State(UP, "all applied")


@cache  # files of the running release; the server reloads when one changes
def _known() -> set[str]:
    from django.db.migrations.loader import MigrationLoader

    return {".".join(key) for key in MigrationLoader(None).disk_migrations}
