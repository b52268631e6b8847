"""What a task writes: started, then succeeded, failed or retried, with the id of its request.

Celery's own lines for the same events are silenced: a traceback is printed once, and task, task_id,
queue and duration_ms are fields instead of words. The request id travels in the message's headers.
"""

from __future__ import annotations

import logging
import time
from typing import Any

import structlog
from celery import signals
from celery.exceptions import TimeLimitExceeded
from celery.utils.log import get_multiprocessing_logger
from structlog.contextvars import bind_contextvars, reset_contextvars

from core.requests.context import bind_request_id, clear_context, current_request_id

logger = structlog.get_logger("core.tasks")

# Its lines are ours below; CRITICAL are Celery's own bugs.
logging.getLogger("celery.app.trace").setLevel(logging.CRITICAL)


class NotSaidTwice(logging.Filter):
    """Drops what the main process says of a task that `task failed` or `task retried` has said."""

    SAID = ("Task handler raised error", "Hard time limit", "Task %s[%s] retry")

    def filter(self, record: logging.LogRecord) -> bool:
        return not str(record.msg).startswith(self.SAID)


logging.getLogger("celery.worker.request").addFilter(NotSaidTwice())


@signals.setup_logging.connect
def keep_logging(**_: Any) -> None:
    """A receiver is all it takes for Celery to leave logging as it is.

    What is left to do is the logger of its process pool, whose lines would go to stderr bare.
    """
    pool: Any = get_multiprocessing_logger()
    pool.propagate = True


@signals.before_task_publish.connect
def send_request_id(headers: dict[str, Any], **_: Any) -> None:
    """Put the id of the request that causes the task into its message."""
    if request_id := current_request_id():
        headers.setdefault("request_id", request_id)


@signals.task_prerun.connect
def started(sender: Any, **_: Any) -> None:
    """Bind task and request to every line that follows, and write the first."""
    request = sender.request
    if not request.is_eager:
        clear_context()
        bind_request_id(request.get("request_id"))
    request.log_tokens = bind_contextvars(**_identity(sender, request))
    request.log_started = time.monotonic()
    logger.info("task started", **({"retries": request.retries} if request.retries else {}))


@signals.task_postrun.connect
def forget(sender: Any, **_: Any) -> None:
    """Unbind: a request that ran the task eagerly keeps what it had bound."""
    if tokens := sender.request.get("log_tokens"):
        reset_contextvars(**tokens)
    if not sender.request.is_eager:
        clear_context()


@signals.task_success.connect
def succeeded(sender: Any, **_: Any) -> None:
    logger.info("task succeeded", **_outcome(sender, sender.request))


@signals.task_failure.connect
def failed(sender: Any, task_id: str, exception: BaseException, **_: Any) -> None:
    """In the pool's process, or in the main one for a task whose process is gone."""
    if isinstance(exception, TimeLimitExceeded) and sender.request.id is None:
        return  # Celery tells the hard limit twice; the second time it knows the request
    outcome = {**_outcome(sender, sender.request), "task_id": task_id}
    logger.error("task failed", exc_info=exception, **outcome)


@signals.task_retry.connect
def retried(sender: Any, request: Any, reason: Any = None, **_: Any) -> None:
    """A retry that the task asked for, or a stop of the worker that returns it to its queue."""
    if reason is None:
        logger.warning("task returned to its queue", **_outcome(sender, request))
        return
    outcome = {**_outcome(sender, request), "reason": repr(reason.exc), "retry_in": reason.when}
    logger.warning("task retried", **outcome)


def _identity(task: Any, request: Any) -> dict[str, Any]:
    queue = (request.delivery_info or {}).get("routing_key")
    return {"task": task.name, "task_id": request.id, "queue": queue or task.queue_name}


def _outcome(task: Any, request: Any) -> dict[str, Any]:
    # In the main process nothing is bound, and the request's id is in the message alone.
    fields = _identity(task, request)
    if request_id := request.get("request_id"):
        fields["request_id"] = request_id
    if began := request.get("log_started"):
        fields["duration_ms"] = round((time.monotonic() - began) * 1000, 1)
    return fields
