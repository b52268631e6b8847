"""What the relay promises: everything, once each, in the order of each key."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from kombu.exceptions import OperationalError

from core import outbox
from core.outbox import state, waking
from core.outbox.models import Message
from core.outbox.relay import Relay
from core.tasks.base import decoded
from scripts.servers import Valkey
from tests.broker import Queue
from tests.parallel import at_once
from tests.testapp.tasks import count_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def relay(queue: Queue) -> Relay:
    return Relay(batch=10)


def write(*words: str, key: str = "") -> None:
    with transaction.atomic():
        for word in words:
            outbox.send(count_once, word, key=key)


def test_a_message_is_published_under_its_own_id_and_marked(relay: Relay, queue: Queue) -> None:
    message_id = outbox.send(count_once, "hello")
    assert relay.turn() == 1
    [published] = queue.messages
    assert (published["id"], published["task"]) == (message_id, count_once.name)
    assert published["args"] == ["hello"]
    message = Message.objects.get()
    assert message.delivered_at is not None
    assert message.deliveries == 1
    assert relay.turn() == 0
    assert len(queue.messages) == 1


def test_all_of_them_are_published_in_batches(relay: Relay, queue: Queue) -> None:
    words = [str(number) for number in range(25)]
    write(*words)
    assert relay.drain() == 25
    assert queue.words == words


def test_messages_of_one_key_are_published_in_their_order(relay: Relay, queue: Queue) -> None:
    write("a1", "a2", key="a")
    write("b1", key="b")
    write("a3", key="a")
    assert relay.turn() == 2  # one of each key
    assert queue.words == ["a1", "b1"]
    relay.drain()
    assert queue.words == ["a1", "b1", "a2", "a3"]


def test_one_that_waits_holds_back_its_key_and_nobody_else(relay: Relay, queue: Queue) -> None:
    write("a1", "a2", key="a")
    write("free")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE core_outbox_message SET due_at = now() + interval '1 hour' "
            "WHERE id = (SELECT min(id) FROM core_outbox_message)"
        )
    relay.drain()
    assert queue.words == ["free"]


def test_two_relays_share_the_work_and_publish_each_message_once(queue: Queue) -> None:
    words = [str(number) for number in range(200)]
    write(*words)
    at_once(4, lambda _: Relay(batch=10).drain())
    assert sorted(queue.words, key=int) == words


def test_a_queue_that_is_gone_holds_up_no_other_message(relay: Relay, queue: Queue) -> None:
    write("lost", "found")
    Message.objects.filter(body__contains="lost").update(queue="gone")
    relay.drain()
    assert queue.words == ["found"]
    lost = Message.objects.get(queue="gone")
    assert (lost.failures, lost.delivered_at) == (1, None)


def test_a_broker_that_dies_in_the_middle_loses_and_doubles_nothing(
    relay: Relay, queue: Queue, broker_server: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [str(number) for number in range(10)]
    write(*words)
    publish = relay._publish

    def die_before_the_fourth(message: Message) -> None:
        if decoded(message.body) == (["3"], {}):
            broker_server.freeze()
        publish(message)

    monkeypatch.setattr(relay, "_publish", die_before_the_fourth)
    with pytest.raises(OperationalError):
        relay.turn()
    monkeypatch.setattr(relay, "_publish", publish)
    assert Message.objects.filter(delivered_at=None).count() == 7
    broker_server.thaw()
    relay.drain()
    # The fourth reached the frozen server's socket: it is there twice, under one id.
    assert sorted(set(queue.words), key=int) == words
    assert len(queue.words) - len(words) <= 1


@pytest.fixture
def running(relay: Relay) -> Iterator[Relay]:
    def live() -> None:
        try:
            relay.run()
        finally:
            connection.close()

    thread = threading.Thread(target=live)
    thread.start()
    yield relay
    relay.stop()
    thread.join(10)
    assert not thread.is_alive()


def published_within(queue: Queue, count: int, seconds: float) -> float:
    began = time.monotonic()
    while len(queue.messages) < count:
        assert time.monotonic() - began < seconds, queue.words
        time.sleep(0.005)
    return time.monotonic() - began


def test_a_commit_wakes_it_sooner_than_its_poll(running: Relay, queue: Queue) -> None:
    write("first")
    published_within(queue, 1, 5)
    waits = []
    for number in range(2, 8):
        time.sleep(0.1)  # it waits again
        write(str(number))
        waits.append(published_within(queue, number, 5))
    assert sorted(waits)[len(waits) // 2] < 0.3


def test_without_the_cache_it_polls(running: Relay, queue: Queue, cache_server: Valkey) -> None:
    cache_server.kill()
    write("hello")
    published_within(queue, 1, 5)


def test_it_publishes_again_when_the_broker_is_back(
    running: Relay, queue: Queue, broker_server: Valkey
) -> None:
    broker_server.kill()
    write("hello")
    time.sleep(1)
    broker_server.start()
    published_within(queue, 1, 10)
    assert queue.words == ["hello"]


def test_what_was_lost_with_the_broker_is_published_again_at_once_when_it_is_back(
    running: Relay, queue: Queue, broker_server: Valkey
) -> None:
    write("handed out")
    published_within(queue, 1, 5)
    broker_server.flush()  # as a worker does whose connection breaks before it has noted it
    broker_server.kill()
    write("later")
    time.sleep(1)
    broker_server.start()
    published_within(queue, 2, 10)
    assert sorted(queue.words) == ["handed out", "later"]


def test_depth_and_lag_tell_how_far_it_is_behind(relay: Relay) -> None:
    assert state.state() == state.State(depth=0, lag=0.0)
    write("one", "two")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE core_outbox_message SET created_at = now() - interval '90 s'")
    found = state.state()
    assert found.depth == 2
    assert 90 <= found.lag < 100
    relay.drain()
    assert state.state() == state.State(depth=0, lag=0.0)


def test_one_transaction_nudges_once(monkeypatch: pytest.MonkeyPatch, queue: Queue) -> None:
    nudges = []
    monkeypatch.setattr(waking, "nudge", lambda: nudges.append(1))
    write("one", "two", "three")
    assert len(nudges) == 1
    with transaction.atomic():
        with transaction.atomic():
            outbox.send(count_once, "inner")
            transaction.set_rollback(True)
        outbox.send(count_once, "outer")
    assert len(nudges) == 2
