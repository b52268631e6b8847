"""How much work waits for a queue."""

from __future__ import annotations

import threading
import time
from typing import Any

from celery import current_app
from kombu.exceptions import OperationalError

from core.outbox.models import Message
from core.tasks.publishing import publish

# Seconds that a number is good for: one question a second and process, whatever the traffic.
FRESH = 1.0


class Depth:
    """Messages that wait at the broker and in the outbox, `limit` of them at most.

    A broker that does not answer counts as empty: nobody is refused because of an outage, and what
    piles up in the outbox meanwhile is counted.
    """

    def __init__(self, queue: str) -> None:
        self._queue = queue
        self._lock = threading.Lock()
        self._known = 0
        self._asked = -FRESH

    def read(self, limit: int) -> int:
        """The number, `FRESH` seconds old at most, or older while another thread asks."""
        if time.monotonic() - self._asked >= FRESH and self._lock.acquire(blocking=False):
            try:
                self._known = self._at_the_broker() + self._in_the_outbox(limit)
                self._asked = time.monotonic()
            finally:
                self._lock.release()
        return self._known

    def _in_the_outbox(self, limit: int) -> int:
        return Message.objects.filter(delivered_at=None, queue=self._queue)[:limit].count()

    def _at_the_broker(self) -> int:
        def count(producer: Any) -> int:
            # Not `passive`: for a queue that nobody declared yet RabbitMQ closes the channel.
            queue = current_app.amqp.queues[self._queue]
            declared = producer.channel.queue_declare(
                queue=queue.name,
                durable=queue.durable,
                auto_delete=queue.auto_delete,
                arguments=queue.queue_arguments,
            )
            return int(declared.message_count)

        def ask(producer: Any) -> int:
            # Once; it makes one kind of error of what the transports raise.
            return int(producer.connection.ensure(producer, count, max_retries=0)(producer))

        try:
            # By the producers of `core.tasks.publishing`, whose timeouts and breaker bound it.
            return int(publish(current_app, ask, task="", task_id="", strict=True))
        except OperationalError:  # away
            return 0
