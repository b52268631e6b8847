"""What this service's probes look at."""

from functools import cache

from django.conf import settings

from config.env import env
from core.health import services
from core.health.database import conninfo
from core.health.state import page
from core.probes.answers import Probes


@cache  # they are files of the running release
def _known_migrations() -> set[str]:
    from django.db.migrations.loader import MigrationLoader

    return {".".join(key) for key in MigrationLoader(None).disk_migrations}


def worker_probes() -> Probes:
    """The probes on the port of the application, answered by a process that serves requests."""
    database = conninfo(settings.DATABASES["default"])
    heartbeat = services.Heartbeat(
        {
            "database": services.database(database),
            "migrations": services.migrations(database, _known_migrations),
            "cache": services.cache(env.CACHE_URL),
            "broker": services.broker(env.BROKER_URL),
        }
    )
    return Probes(version=settings.VERSION, unready=page().unready, heartbeat=heartbeat)
