"""Whether the database, the cache and the broker answer, as `/__heartbeat__` would say it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from django.conf import settings

from core.health import services
from core.health.database import conninfo


@dataclass(frozen=True, slots=True)
class Dependency:
    """One answer; `problem` is empty for a good one."""

    name: str
    problem: str


def check_dependencies() -> list[Dependency]:
    """Ask all at once; together they take at most `services.LIMIT` seconds."""
    _, report = _heartbeat()()
    return [
        Dependency(name, "" if state == "ok" else report["details"].get(name, state))
        for name, state in report["checks"].items()
    ]


@cache
def _heartbeat() -> services.Heartbeat:
    # On the first question: it starts threads, which a fork would lose.
    return services.Heartbeat(
        {
            "database": services.database(conninfo(settings.DATABASES["default"])),
            "cache": services.cache(str(settings.CACHES["default"]["LOCATION"])),
            "broker": services.broker(settings.CELERY_BROKER_URL),
        }
    )
