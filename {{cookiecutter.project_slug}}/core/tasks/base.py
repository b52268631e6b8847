"""The base class of every task: when it is published, how long it may run, how it is retried."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from celery.contrib.django.task import DjangoTask
from celery.exceptions import Reject
from celery.utils import uuid
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections
from kombu.serialization import dumps, loads

from core.tasks import publishing

if TYPE_CHECKING:
    from collections.abc import Callable

    from celery import Celery
    from celery.result import AsyncResult

    _Base = DjangoTask[..., Any]
else:
    _Base = DjangoTask


# What passes by itself. Not Exception: a bug would show its traceback a quarter of an hour late.
TRANSIENT: tuple[type[Exception], ...] = (OSError, OperationalError, InterfaceError)
# How a worker repeats the publish of a retry: 6 s for a broker that restarts; with the socket
# timeout of 5 s, 26 s for a frozen one, well inside the time limits.
PATIENCE = {"max_retries": 3, "interval_start": 1, "interval_step": 1, "interval_max": 3}


class Task(_Base):
    """A task that is sent when the surrounding transaction commits, or at once without one.

    `delay()` and `apply_async()` return an AsyncResult whose id is final at once. What differs from
    Celery's own base:

    - A rollback takes the task back, and no worker looks for a row before it is there.
    - Arguments go through the serializer where the task is called, and queue and number of
      arguments are checked: a model instance or a set fails there, in tests as in production.
    - A broker that is down or frozen costs milliseconds (`publishing`) and never an exception: the
      response does not change, the task is logged with its id and counted.
    - `TRANSIENT` errors are retried, anything else fails at once. Name what else passes by itself:
      `@shared_task(autoretry_for=(*TRANSIENT, TooManyRequests))`.

    A task sent this way **may be lost**: when the broker does not take it, or the process dies
    between commit and publish. Use it for what may be missing, or is found and repaired later.
    `apply_async(..., publish_now=True)` does not wait for the commit and raises
    `kombu.exceptions.OperationalError` when the broker does not take it: for a caller that can try
    again. Every task **may run twice** (a worker dies after the effect): make it idempotent.

    Weighed: Celery's `delay_on_commit` returns no id, raises after the commit (a 500 for a request
    that succeeded) and skips the hooks behind it.
    """

    abstract = True
    Request = "core.tasks.worker:Request"

    # Set by `@shared_task(queue=…)`.
    queue_name: ClassVar[str] = "default"
    autoretry_for = TRANSIENT
    # 2, 4, 8 … seconds, each drawn between 0 and that, so that a thousand tasks that failed
    # together do not return together. Eight retries span 8 minutes on average, 17 at most.
    max_retries = 8
    retry_backoff = 2
    retry_backoff_max = 600  # seconds; with the hard limit it stays below the visibility timeout
    retry_jitter = True
    # Seconds before a task whose process was killed runs again; what took the memory may be gone.
    default_retry_delay = 10

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Celery 6 ignores `queue` on a task, 5.7 warns of it; `route()` reads this name instead.
        if "queue" in cls.__dict__:
            cls.queue_name = cls.__dict__["queue"]
            del cls.queue  # type: ignore[attr-defined]

    @classmethod
    def on_bound(cls, app: Celery) -> None:
        """Refuse a task that could run for ever or on no worker. Raises `ImproperlyConfigured`."""
        if cls.queue_name not in app.amqp.queues:
            raise ImproperlyConfigured(
                f"{cls.name}: queue {cls.queue_name!r} is none of {', '.join(app.amqp.queues)}."
            )
        visibility: float = app.conf.broker_transport_options["visibility_timeout"]
        soft, hard = cls.soft_time_limit, cls.time_limit
        if not soft or not hard or not 0 < soft < hard < visibility:
            raise ImproperlyConfigured(
                f"{cls.name}: 0 < soft_time_limit ({soft}) < time_limit ({hard}) < visibility "
                f"timeout ({visibility:g} s) does not hold; past the last, it would run twice."
            )

    def apply_async(
        self,
        args: Any = None,
        kwargs: Any = None,
        task_id: str | None = None,
        producer: Any = None,
        link: Any = None,
        link_error: Any = None,
        shadow: str | None = None,
        *,
        publish_now: bool = False,
        **options: Any,
    ) -> AsyncResult[Any]:
        """Send the task; see the class for when. Options are those of Celery.

        Raises `EncodeError` for arguments that JSON cannot hold, `TypeError` for a wrong number of
        them, `QueueNotFound` for an unknown queue. A `producer` counts with `publish_now` only.
        """
        given = {"link": link, "link_error": link_error, "shadow": shadow, **options}
        send: Callable[..., Any] = partial(super().apply_async, **given)
        # A retry and the next link of a chain: whoever publishes must learn of a failure, or the
        # task would be acknowledged and gone. They have Celery's own, patient connection.
        if options.get("retries") or options.get("parent_id"):
            patience = {"retry": True, "retry_policy": PATIENCE, **options}
            return send(args, kwargs, task_id, producer, **patience)  # type: ignore[no-any-return]

        args, kwargs = self._checked(args or (), kwargs or {}, options)
        if publish_now and producer:
            return send(args, kwargs, task_id, producer)  # type: ignore[no-any-return]
        task_id = task_id or uuid()
        publish = partial(send, args, kwargs, task_id)
        eager = self.app.conf.task_always_eager
        if not eager:
            names = {"task": self.name, "task_id": task_id}
            publish = partial(publishing.publish, self.app, publish, strict=publish_now, **names)
        database = connections[DEFAULT_DB_ALIAS]
        if database.in_atomic_block and not publish_now:
            # robust: an error here would skip the hooks behind it and change the response.
            database.on_commit(publish, robust=not eager)
            return self.AsyncResult(task_id)
        result: AsyncResult[Any] | None = publish()
        return self.AsyncResult(task_id) if result is None else result

    def retry(self, *args: Any, **kwargs: Any) -> Any:
        """Celery's, except that a retry which the broker refuses is not the end of the task.

        Celery would acknowledge the message all the same, and the task would be gone. Here it goes
        back to its queue; if that fails too, the visibility timeout returns it.
        """
        try:
            return super().retry(*args, **kwargs)
        except Reject as refused:
            raise Reject(str(refused), requeue=True) from refused

    def _checked(self, args: Any, kwargs: Any, options: dict[str, Any]) -> tuple[Any, Any]:
        """The arguments as the worker will see them, whatever the caller does with its own."""
        task: Any = self
        if task.typing:
            task.__header__(*args, **kwargs)
        self.app.amqp.router.route(dict(options), self.name, args, kwargs, task)
        return decoded(encoded(args, kwargs))


def encoded(args: Any, kwargs: Any) -> str:
    """The arguments of a message as text. Raises `EncodeError` for what JSON cannot hold."""
    _, _, data = dumps((args, kwargs), "json")
    return str(data)


def decoded(body: str) -> tuple[Any, Any]:
    """The arguments as the worker will see them. Raises `DecodeError`."""
    args, kwargs = loads(body, "application/json", "utf-8", accept=["application/json"])
    return args, kwargs


def route(
    name: str, args: Any, kwargs: Any, options: dict[str, Any], task: Any = None, **_: Any
) -> dict[str, str] | None:
    """Celery's `task_routes`: the queue that the task's decorator named."""
    queue = getattr(task, "queue_name", None)
    return {"queue": queue} if queue and "queue" not in options else None
