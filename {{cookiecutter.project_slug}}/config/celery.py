"""The Celery application: `celery -A config.celery worker` and `beat` (scripts/start.sh).

Importing it without a valid environment exits 78, as every process of the service does.
"""

from __future__ import annotations

from functools import cached_property, partial
from typing import Any

from celery import Celery, signals

from config.settings.components.logs import LOGGING
from core import heartbeat
from core.heartbeat.worker import WorkerHeartbeat
from core.logs.configuration import apply

# Before Django does, so that a start that fails is told in JSON lines as well.
apply(LOGGING)


class Service(Celery):
    """Celery's application with our beat, which is imported where it runs."""

    @cached_property
    def Beat(self) -> Any:  # noqa: N802 - the name that `celery beat` asks for
        from core.beat.program import Beat

        return self.subclass_with_self(Beat)


app = Service("service", task_cls="core.tasks.base:Task")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(WorkerHeartbeat)


@signals.beat_init.connect
def mark_turns(sender: Any, **_: Any) -> None:
    """beat's liveness: the file is as old as its last turn."""
    sender.scheduler.on_turn = partial(heartbeat.touch, "beat")
