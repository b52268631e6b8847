"""See the package."""

from __future__ import annotations

import os
import sys

from django.conf import settings

os.environ["DATABASE_URL"] = os.environ["DATABASE_DIRECT_URL"]  # as scripts/start.sh does

settings.INSTALLED_APPS += ["drills.app.release"]
arguments = sys.argv[1:]
if "--careless" in arguments:
    arguments.remove("--careless")
    settings.MIGRATION_MODULES = {"drill_release": "drills.app.release.careless.migrations"}
if "--plain" in arguments:
    arguments.remove("--plain")
    settings.INSTALLED_APPS.remove("core.migrate")

from django.core.management import execute_from_command_line  # noqa: E402 - after the settings

execute_from_command_line(["manage.py", *arguments])
