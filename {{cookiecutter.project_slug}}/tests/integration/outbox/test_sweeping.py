"""Messages that a broker lost, and work whose worker died, are published again."""

from __future__ import annotations

import pytest
from django.db import connection

from core import outbox
from core.executions import leases
from core.executions.models import Execution
from core.outbox.models import Message
from core.outbox.relay import Relay
from core.outbox.sweeping import sweep
from scripts.servers import Valkey
from tests.broker import Queue
from tests.testapp.tasks import count_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def relay(queue: Queue) -> Relay:
    return Relay()


def passed(seconds: int) -> None:
    """Let so much time pass for all that is in the tables."""
    with connection.cursor() as cursor:
        for table, column in (
            ("core_outbox_message", "delivered_at"),
            ("core_execution", "lease_until"),
        ):
            cursor.execute(
                f"UPDATE {table} SET {column} = {column} - make_interval(secs => %s)",  # noqa: S608
                [seconds],
            )


def claimed_by(holder: str) -> str:
    """A message that a worker has begun. Returns its id."""
    message_id = outbox.send(count_once, "hello")
    message = Message.objects.get()
    leases.claim(
        message_id,
        holder=holder,
        task=message.task,
        queue=message.queue,
        body=message.body,
        headers='{"request_id": "request-0001"}',
    )
    return message_id


def test_a_message_that_the_broker_lost_is_published_again(
    relay: Relay, queue: Queue, broker_server: Valkey
) -> None:
    message_id = outbox.send(count_once, "hello")
    relay.drain()
    broker_server.flush()
    assert sweep() == (0, 0)
    assert relay.drain() == 0
    passed(61)
    assert sweep() == (1, 0)
    assert relay.drain() == 1
    assert [message["id"] for message in queue.messages] == [message_id]


def test_one_that_waits_in_a_long_queue_is_published_again_ever_more_rarely(
    relay: Relay, queue: Queue
) -> None:
    outbox.send(count_once, "hello")
    relay.drain()
    again = []
    for minute in range(60):
        passed(60)
        if sweep() == (1, 0):
            relay.drain()
            again.append(minute)
    assert len(again) == 5  # after 1, 2, 4, 8, 16 minutes
    assert len(queue.messages) == 6


def test_the_row_of_a_claimed_message_leaves_the_outbox(relay: Relay) -> None:
    outbox.send(count_once, "waits")
    relay.drain()
    Message.objects.all().delete()
    claimed_by("somebody:1:x")
    relay.drain()
    assert sweep() == (0, 0)
    assert not Message.objects.exists()


def test_work_whose_lease_ended_is_published_again_as_it_was(relay: Relay, queue: Queue) -> None:
    message_id = claimed_by("gone:1:x")
    Message.objects.all().delete()
    assert sweep() == (0, 0)
    passed(31)
    assert sweep() == (0, 1)
    assert sweep() == (0, 0)
    relay.drain()
    [message] = queue.messages
    assert (message["id"], message["args"]) == (message_id, ["hello"])
    assert message["request_id"] == "request-0001"
    assert Execution.objects.get().losses == 1


@pytest.mark.parametrize("end", [leases.complete, lambda key, _: leases.fail(key)])
def test_what_is_done_or_given_up_is_left_alone(end: object, relay: Relay) -> None:
    message_id = claimed_by("worker:1:x")
    Message.objects.all().delete()
    assert callable(end)
    end(message_id, "worker:1:x")
    passed(100_000)
    assert sweep() == (0, 0)
