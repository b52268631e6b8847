"""What a worker of ours does beyond Celery's: connections, stopping, lost processes, its broker."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import structlog
from celery import signals
from celery.worker.request import Request as CeleryRequest
from django.conf import settings
from django.db import close_old_connections

logger = structlog.get_logger("core.tasks")

# Runs of a task that takes its process down (out of memory, a crash in C) before it has failed;
# max_retries counts errors that pass by themselves, and this one hits the neighbours too.
MAX_RUNS = 3
LOST = "processes_lost"
_stopping = threading.Event()


@signals.task_prerun.connect
@signals.task_postrun.connect
def keep_connections(sender: Any, **_: Any) -> None:
    """Treat a task as Django treats a request: close what is old or broken, keep the rest.

    Celery closes around every task, whatever CONN_MAX_AGE says (1.85 ms for a one-query task
    against 0.68 ms), unless CELERY_DB_REUSE_MAX is set. After a fork it drops what is inherited.
    """
    if not sender.request.is_eager:
        close_old_connections()


class Request(CeleryRequest):
    """Celery's, with a limit of its own for `task_retry_on_worker_lost`.

    Weighed: `task_reject_on_worker_lost`, the older setting, has no limit (27 runs in 14 s).
    """

    def _retry_worker_lost(self, exc: BaseException, exc_info: Any) -> bool:
        # The message of the next run is made from this dictionary.
        headers: dict[str, Any] = self._request_dict  # type: ignore[attr-defined]
        headers[LOST] = int(headers.get(LOST) or 0) + 1
        if headers[LOST] >= MAX_RUNS:
            return False
        self.__dict__.pop("_context", None)
        return bool(super()._retry_worker_lost(exc, exc_info))  # type: ignore[misc]


@signals.worker_shutting_down.connect
def bound_shutdown(how: str, **_: Any) -> None:
    """End the wait for running tasks after TASKS_SHUTDOWN_SECONDS; they go back to their queue.

    On SIGTERM Celery waits for ever. SIGQUIT is its cold shutdown, which leaves messages
    unacknowledged. Weighed: `REMAP_SIGTERM=SIGQUIT` with `worker_soft_shutdown_timeout` sleeps the
    whole timeout whenever a task runs: 31.7 s for a task of 4 s, against 4.5 s this way.
    """
    if how == "Warm" and not _stopping.is_set():
        _stopping.set()
        seconds: float = settings.TASKS_SHUTDOWN_SECONDS
        timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGQUIT))
        timer.daemon = True  # must not keep a worker that is done
        timer.start()


@signals.worker_ready.connect
def judge_broker(sender: Any, **_: Any) -> None:
    """Say at the start when the broker may delete queued tasks to make room for others.

    By INFO, because managed servers refuse CONFIG GET. One that refuses INFO, too, is believed: a
    worker that does not run would be worse. `/__heartbeat__` of the web reports the same for ever.
    """
    with sender.app.connection_for_read() as connection:
        if connection.transport.driver_type != "redis":
            return
        try:
            # Not default_channel, which tries for ever should the broker be gone again.
            memory = connection.channel().client.info("memory")
        except (*connection.connection_errors, *connection.channel_errors):
            return
    policy = memory.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        logger.error("broker may delete tasks", maxmemory_policy=policy, wanted="noeviction")


@signals.celeryd_init.connect
def speak_in_lines(**_: Any) -> None:
    """Celery's signal handlers write bare text to stdout; make it log lines."""
    from celery.apps import worker  # web processes have no use for it

    def say(message: str, _file: Any = None) -> None:
        logger.info(" ".join(message.split()))

    worker.safe_say = say  # type: ignore[attr-defined]
