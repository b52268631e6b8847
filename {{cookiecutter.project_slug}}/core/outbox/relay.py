"""The relay: takes pending messages out of the table and publishes them. Two may run.

A batch is locked by `FOR UPDATE SKIP LOCKED`, published on one connection, and marked in the same
transaction; a relay that dies in between has published messages that are published again, under
the same id, which the task's key makes one effect.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
from celery import Celery, current_app
from django.db import DatabaseError, close_old_connections, connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from kombu.exceptions import OperationalError as BrokerError

from core.outbox import sweeping
from core.outbox.models import Message
from core.outbox.waking import Alarm
from core.tasks.base import decoded

logger = structlog.get_logger("core.outbox")

# Rows of one transaction. Published in some 30 ms, far from the role's
# idle_in_transaction_session_timeout of 10 s and the pooler's query_timeout of 7 s.
BATCH = 100
# Seconds between two looks that nobody asked for: the longest that a lost nudge costs.
POLL = 1.0
# Seconds after a failed attempt, doubled up to the second: every effect follows the return of a
# broker within the second one.
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
# Seconds for one publish. Longer than a request has, as nobody waits; a frozen broker is given up
# while the transaction may still be open.
BROKER = {
    "socket_connect_timeout": 1.0,
    "socket_timeout": 2.0,
    "read_timeout": 2.0,
    "write_timeout": 2.0,
    "max_retries": 0,
    "confirm_publish": True,
}
# Seconds until a message that the broker refused for a reason of its own is tried again, doubled
# with each failure up to the second.
REFUSED_PAUSE, REFUSED_LONGEST = 5, 600

# The first undelivered message of each key, and every one without a key. `due_at` is beyond the
# index on purpose: nearly all pending rows are due.
_TAKE = """
    SELECT message.* FROM core_outbox_message AS message
    WHERE message.delivered_at IS NULL AND message.due_at <= clock_timestamp()
      AND (message.key = '' OR NOT EXISTS (
          SELECT FROM core_outbox_message AS earlier
          WHERE earlier.key = message.key AND earlier.key <> ''
            AND earlier.delivered_at IS NULL AND earlier.id < message.id))
    ORDER BY message.id LIMIT %s
    FOR UPDATE OF message SKIP LOCKED
"""


class Relay:
    """One relay. `run` is its life; a test calls `turn` or `drain`."""

    def __init__(self, app: Celery | None = None, *, batch: int = BATCH) -> None:
        self.app: Celery = app or current_app._get_current_object()  # type: ignore[attr-defined]
        self.batch = batch
        # Called at every turn; the command makes it the heartbeat.
        self.on_turn: Callable[[], None] = lambda: None
        self._alarm = Alarm()
        self._stopping = threading.Event()
        self._broker: Any = None
        self._trouble = ""
        self._pause = 0.0
        self._swept_at = 0.0

    def run(self) -> None:
        """Publish until `stop()`. Raises nothing that passes by itself."""
        logger.info("relay started", batch=self.batch)
        while not self._stopping.is_set():
            taken = self._turn_or_trouble()
            if self._pause:
                self._stopping.wait(self._pause)
            elif taken < self.batch:
                self._alarm.wait(POLL)
        self._alarm.close()
        self._hang_up()
        connection.close()
        logger.info("relay stopped")

    def stop(self) -> None:
        """End after the batch in hand. Safe in a signal's handler."""
        self._stopping.set()

    def drain(self) -> int:
        """Publish until nothing is due. Returns how many messages that were."""
        total = 0
        while taken := self.turn():
            total += taken
        return total

    def turn(self) -> int:
        """Publish one batch. Returns how many messages the broker took.

        Raises `kombu.exceptions.OperationalError` when it took not all of them; those that it took
        are marked.
        """
        failure: Exception | None = None
        with transaction.atomic():
            taken: list[int] = []
            for message in Message.objects.raw(_TAKE, [self.batch]):
                try:
                    self._publish(message)
                except BrokerError as error:
                    failure = error
                    break
                except Exception as error:
                    self._refused(message, error)
                else:
                    taken.append(message.pk)
            if taken:
                Message.objects.filter(pk__in=taken).update(
                    delivered_at=Now(), deliveries=F("deliveries") + 1
                )
        if failure:
            self._hang_up()
            raise BrokerError(str(failure)) from failure
        return len(taken)

    def _turn_or_trouble(self) -> int:
        self.on_turn()
        close_old_connections()
        try:
            taken = self.turn()
            if time.monotonic() - self._swept_at > sweeping.INTERVAL:
                self._swept_at = time.monotonic()
                sweeping.sweep()
        except Exception as error:
            # Whatever it is: a relay that ends is restarted in vain, one that goes on recovers.
            if isinstance(error, DatabaseError):
                connection.close()
            elif isinstance(error, BrokerError) and not self._trouble:
                with suppress(DatabaseError):  # the sweep finds them later
                    sweeping.doubt()
            self._tell(f"{type(error).__name__}: {error}", error)
            longest = min(LONGEST_PAUSE, max(FIRST_PAUSE, self._pause * 2))
            # Spread, so that two relays do not fall upon a broker together.
            self._pause = longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
            return 0
        self._tell("")
        self._pause = 0.0
        return taken

    def _publish(self, message: Message) -> None:
        args, kwargs = decoded(message.body)
        self.app.send_task(
            message.task,
            args,
            kwargs,
            task_id=message.message_id,
            queue=message.queue,
            headers=message.headers,
            producer=self._producer(),
            retry=False,
        )

    def _producer(self) -> Any:
        if self._broker is None:
            self._broker = self.app.connection_for_write(
                connect_timeout=BROKER["socket_connect_timeout"], transport_options=BROKER
            )
            self._broker.producer = self.app.amqp.Producer(self._broker, auto_declare=False)
        return self._broker.producer

    def _hang_up(self) -> None:
        """Drop the connection: after a failure it holds half a message."""
        broker, self._broker = self._broker, None
        if broker is not None:
            with suppress(Exception):
                broker.collect(socket_timeout=0.1)

    def _refused(self, message: Message, error: Exception) -> None:
        """A queue that is gone: the others go on, those of the same key wait for it."""
        logger.error(
            "message not published",
            task=message.task,
            task_id=message.message_id,
            failures=message.failures + 1,
            exc_info=error,
        )
        seconds = min(REFUSED_LONGEST, REFUSED_PAUSE * 2 ** min(message.failures, 10))
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE core_outbox_message SET failures = least(failures + 1, 32767), "
                "due_at = clock_timestamp() + make_interval(secs => %s) WHERE id = %s",
                [seconds, message.pk],
            )

    def _tell(self, trouble: str, error: Exception | None = None) -> None:
        """Once when it begins, and once when it ends."""
        if trouble and not self._trouble:
            logger.error("nothing is published", reason=trouble, exc_info=error)
        elif self._trouble and not trouble:
            logger.info("publishing again")
        self._trouble = trouble
