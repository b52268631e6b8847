"""Tasks whose effect happens once, however often their message arrives and whoever dies.

    @shared_task(base=IdempotentTask, queue="high")
    def charge(order_id: int) -> None:
        answer = provider.charge(..., idempotency_key=str(order_id))  # slow: no transaction
        with effect():
            Payment.objects.create(order_id=order_id, reference=answer.id)

Weighed: celery-once and celery-singleton lock in Redis, where the lock dies with the server and
nothing ties it to the effect; Celery's `worker_deduplicate_successful_tasks` needs a result backend
and compares after the fact.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import structlog
from celery.exceptions import Ignore, Reject, Retry
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, connection, transaction

from core.executions import endings, leases
from core.tasks.base import TRANSIENT, Task, encoded
from core.tasks.worker import MAX_RUNS

logger = structlog.get_logger("core.tasks")

KEY_HEADER = "idempotency_key"
_current: ContextVar[Run | None] = ContextVar("run", default=None)


class GivenUpError(Exception):
    """The processes that ran this message died: it takes them down."""


class IdempotentTask(Task):
    """A task that runs under a lease, and whose key commits with its effect.

    The key is the message's `idempotency_key` header, else the task's id. Of ten deliveries of one
    message one runs; the others see that it is held or done, and are acknowledged. A worker that
    dies loses its lease within 30 s and the relay publishes the message again (`core.outbox`), so a
    broker's visibility timeout does not matter.

    What is written inside `with effect():` commits with the key: once. A task without it is noted
    as done after it returned: its effects happen at least once, and what it calls outside (a mail,
    a payment) must have a key of its own. Nothing slow belongs inside `effect()`.

    Called as a function it is a function: no lease, no key.
    """

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.request.called_directly:
            return super().__call__(*args, **kwargs)
        run = Run(self)
        try:
            if not run.claim():
                return None
            return run.perform(args, kwargs)
        except leases.LeaseLostError as error:
            logger.warning("lease lost", reason=str(error))
            raise Ignore from error
        except TRANSIENT as error:
            raise self.retry(exc=error) from error


@contextmanager
def effect() -> Iterator[None]:
    """The transaction of a task's effect, in which the message's key commits as well.

    Raises `LeaseLostError` at its end when another run took the message over; what was written is
    rolled back. Once in a run: a second one raises `RuntimeError`.
    """
    run = _current.get()
    # durable: inside of another transaction nothing would be certain when this one ends.
    with transaction.atomic(durable=True):
        yield
        if run is not None:
            run.complete()


class Run:
    """One attempt at one message."""

    def __init__(self, task: IdempotentTask) -> None:
        request: Any = task.request
        self.task = task
        headers = request.headers or {}
        self.key = str(request.get(KEY_HEADER) or headers.get(KEY_HEADER) or request.id)
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self.is_complete = False

    def claim(self) -> bool:
        """Take the lease. False, and a line, when the message is held, done or given up.

        Raises `GivenUpError` for a message whose runs have died too often.
        """
        request: Any = self.task.request
        headers = {KEY_HEADER: self.key}
        if request_id := request.get("request_id"):
            headers["request_id"] = request_id
        message = {
            "holder": self.holder,
            "task": self.task.name,
            "queue": (request.delivery_info or {}).get("routing_key") or self.task.queue_name,
            "body": encoded(request.args, request.kwargs),
            "headers": json.dumps(headers),
        }
        claim = leases.claim(self.key, **message)
        if claim.refused == "held" and is_dead(claim.holder):
            claim = leases.claim(self.key, **message, dead=claim.holder)
        if claim.refused:
            logger.info("task skipped", reason=claim.refused, key=self.key)
            return False
        if claim.losses >= MAX_RUNS:
            raise GivenUpError(f"{claim.losses} processes died while they ran it")
        return True

    def perform(self, args: Any, kwargs: Any) -> Any:
        """Run the task's function while the lease is renewed."""
        token = _current.set(self)
        ended = threading.Event()
        renewing = threading.Thread(target=self._renew, args=[ended], name="lease", daemon=True)
        renewing.start()
        try:
            result = self.task.run(*args, **kwargs)
            if not self.is_complete:
                self.complete()
        except Retry as again:
            leases.release(self.key, self.holder, _seconds_until(again.when) + leases.LEASE)
            raise
        except (Reject, OSError, OperationalError, InterfaceError):  # TRANSIENT, and a lost retry
            leases.release(self.key, self.holder)
            raise
        finally:
            ended.set()
            _current.reset(token)
        return result

    def complete(self) -> None:
        """As `effect`."""
        if self.is_complete:
            raise RuntimeError("One effect() in a run: the key committed with the first.")
        # Without a savepoint: `effect` has begun the transaction, or nobody has.
        with transaction.atomic(savepoint=False):
            leases.complete(self.key, self.holder)
            endings.completed.send(sender=type(self.task), key=self.key)
        self.is_complete = True

    def _renew(self, ended: threading.Event) -> None:
        try:
            while not ended.wait(leases.RENEW):
                try:
                    if not leases.renew(self.key, self.holder):
                        return
                except DatabaseError as error:  # two of three may fail
                    logger.warning("lease not renewed", key=self.key, reason=str(error))
                    connection.close()
        finally:
            connection.close()  # of this thread


def is_dead(holder: str) -> bool:
    """Whether `holder` was a process of this machine that is gone. Another machine's is unknown."""
    host, _, rest = holder.rpartition(":")[0].rpartition(":")
    if host != socket.gethostname() or not rest.isdigit():
        return False
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _seconds_until(when: Any) -> float:
    if isinstance(when, datetime):
        return max(0.0, (when - datetime.now(UTC)).total_seconds())
    return float(when or 0)
