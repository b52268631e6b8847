"""`celery beat`, which may be stopped at any moment after it said that it starts."""

from __future__ import annotations

from typing import Any

from celery.apps import beat


class Beat(beat.Beat):
    """Celery's, with its scheduler made before a signal's handler asks for it.

    Otherwise the handler of a SIGTERM that comes while the scheduler's module is being imported
    imports it once more, finds half of it, and beat ends with a traceback and status 1.
    """

    def install_sync_handler(self, service: Any) -> None:
        service.scheduler  # noqa: B018 - a property that makes it
        super().install_sync_handler(service)
