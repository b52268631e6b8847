"""The scheduler of `celery beat`: of several beats one sends, and each tick is sent once.

Nothing is written to disk, so beat runs on a read-only root and may be started twice: a rollout
needs no order, a second beat takes over. Weighed: Celery's own keeps a shelve file and sends twice
when it runs twice; celery-redbeat loses its lock with the broker; django-celery-beat keeps the
schedule in tables, where no review sees it, and has no release for this Django.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import structlog
from celery.beat import Scheduler
from celery.exceptions import ImproperlyConfigured
from celery.schedules import crontab, schedule
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from core.beat import lease

logger = structlog.get_logger("core.beat")

LEASE = "beat"
# The header that makes a tick known again: the same after a crash between publish and commit.
KEY_HEADER = "idempotency_key"
# Seconds; the transaction waits meanwhile, and its role ends it after 10 s without a statement.
BROKER = {"socket_connect_timeout": 1, "socket_timeout": 2, "max_retries": 0}


class LeaseScheduler(Scheduler):
    """Sends due entries while it holds the lease; otherwise it waits for its turn.

    A tick is claimed and published in one short transaction, which commits once the broker has the
    message: a broker that is away delays a tick, a database that is away delays all, and both are
    logged once. Of several ticks that were missed the last is sent. Only a crash, or a lost
    database, between publish and commit sends a tick again, with the same key in its header.

    `crontab` and plain intervals are known; an interval counts from the entry's first sight.
    """

    # Seconds. A dead holder is missed for this long at most; three renewals may fail before.
    lease_seconds = 60.0
    # Seconds between two attempts of a beat that waits, or that cannot reach a server.
    retry_seconds = 5.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self._held_until = self._renew_at = 0.0
        self._last: dict[str, datetime] = {}
        self._trouble = ""
        self._turning = False
        # Called at every turn; config/celery.py makes it the heartbeat.
        self.on_turn: Callable[[], None] = lambda: None
        super().__init__(*args, **kwargs)

    def setup_schedule(self) -> None:
        """Read the schedule from the settings. Raises `ImproperlyConfigured`."""
        super().setup_schedule()
        for entry in self.schedule.values():
            if type(entry.schedule) not in (crontab, schedule):
                raise ImproperlyConfigured(f"{entry.name}: only crontab and intervals are known.")
            if entry.task not in self.app.tasks:
                raise ImproperlyConfigured(f"{entry.name}: there is no task {entry.task}.")

    def tick(self, *_: Any, **__: Any) -> float:
        """One turn; returns the seconds to sleep. Raises nothing that passes by itself."""
        self._turning = True
        try:
            self.on_turn()
            close_old_connections()
            pause = self._turn()
        except Exception as error:
            # Whatever it is: a beat that ends is restarted in vain, one that tries again recovers.
            connection.close()
            self._tell(f"{type(error).__name__}: {error}", error)
            return self.retry_seconds
        finally:
            self._turning = False
        self._tell("")
        return pause

    def close(self) -> None:
        """End: give the lease up, so that another beat takes over at once.

        Celery calls it twice: in the signal's handler, where a statement that was interrupted still
        holds the connection's lock and a second one would wait for ever, and again at the end.
        """
        if self._turning:
            return
        super().close()
        if self._holds():
            self._held_until = 0.0
            try:
                lease.release(LEASE, self.holder)
            except DatabaseError as error:
                logger.warning("lease not released", reason=str(error))

    def _turn(self) -> float:
        if not self._hold():
            return self.retry_seconds
        now = timezone.now()
        next_due = now + timedelta(seconds=self.lease_seconds / 3)
        for name, entry in self.schedule.items():
            if name not in self._last:
                self._last[name] = lease.last_tick(name, now)
            if self._holds() and (due := last_due(entry.schedule, self._last[name], now)):
                self._send(name, entry, due)
                self._last[name] = due
            next_due = min(next_due, next_after(entry.schedule, self._last[name]))
        return max(0.0, (next_due - timezone.now()).total_seconds())

    def _holds(self) -> bool:
        return time.monotonic() < self._held_until

    def _hold(self) -> bool:
        if time.monotonic() < self._renew_at:
            return True
        asked = time.monotonic()
        held = lease.hold(LEASE, self.holder, self.lease_seconds)
        if held and not self._holds():
            # What another beat sent meanwhile is read again.
            self._last.clear()
            logger.info("lease taken", holder=self.holder)
        # Counted from before the question: ours ends before the database's.
        self._held_until = asked + self.lease_seconds if held else 0.0
        self._renew_at = asked + self.lease_seconds / 3 if held else 0.0
        return held

    def _send(self, name: str, entry: Any, due: datetime) -> None:
        key = f"{name}@{due.isoformat()}"
        headers = {**(entry.options.get("headers") or {}), KEY_HEADER: key}
        options = {**entry.options, "headers": headers, "publish_now": True}
        try:
            with transaction.atomic():
                if not lease.claim(name, due):
                    return
                # A connection for each tick: they are rare, and one that is kept goes stale.
                with self.app.connection_for_write(transport_options=BROKER) as broker:
                    producer = self.app.amqp.Producer(broker, auto_declare=False)
                    task = self.app.tasks[entry.task]
                    sent = task.apply_async(entry.args, entry.kwargs, producer=producer, **options)
        except (DatabaseError, BrokerError):
            raise
        except Exception:
            # Wrong arguments, an unknown queue: the other entries must not wait for a release.
            logger.exception("tick not sent", entry=name, key=key)
        else:
            logger.info("tick sent", entry=name, task=entry.task, task_id=sent.id, key=key)

    def _tell(self, trouble: str, error: Exception | None = None) -> None:
        if trouble == self._trouble:
            return
        if trouble:
            logger.error("nothing is sent", reason=trouble, exc_info=error)
        else:
            logger.info("sending again")
        self._trouble = trouble


def next_after(plan: Any, last: datetime) -> datetime:
    """The first time after `last` that `plan` names."""
    if isinstance(plan, crontab):
        start, delta, _ = plan.remaining_delta(last)
        return start + delta  # type: ignore[no-any-return]
    return last + plan.run_every  # type: ignore[no-any-return]


def last_due(plan: Any, last: datetime, now: datetime) -> datetime | None:
    """The latest time in `(last, now]` that `plan` names, or None."""
    if not isinstance(plan, crontab):
        missed = (now - last) // plan.run_every
        return last + missed * plan.run_every if missed > 0 else None
    # The last day first: a minutely entry that was away for a year has half a million ticks.
    for start in (max(last, now - timedelta(days=1)), last):
        due = start
        while (following := next_after(plan, due)) <= now:
            due = following
        if due > start:
            return due
    return None
