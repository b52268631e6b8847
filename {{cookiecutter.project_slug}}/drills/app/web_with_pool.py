"""`drills.app.web` with psycopg's pool in each worker, in place of a connection for each thread."""

from config.env import env
from config.settings.components.database import DATABASES
from core.db.connection import pooled

DATABASES["default"] = pooled(DATABASES["default"], max_size=env.THREADS)

from drills.app.web import application  # noqa: E402 - after the settings were changed

__all__ = ["application"]
