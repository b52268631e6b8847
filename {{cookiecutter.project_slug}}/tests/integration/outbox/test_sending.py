"""A message is a row of the transaction that causes it."""

from __future__ import annotations

import pytest
from django.db import transaction
from kombu.exceptions import EncodeError

from core import outbox
from core.outbox.models import Message
from core.requests.context import bind_request_id, clear_context
from tests.broker import Queue
from tests.testapp.tasks import count_once, counted, say

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_commit_leaves_it_and_nothing_is_published_by_the_request(queue: Queue) -> None:
    with transaction.atomic():
        message_id = outbox.send(count_once, "hello", key="word:hello")
    message = Message.objects.get()
    assert (message.message_id, message.key) == (message_id, "word:hello")
    assert (message.task, message.queue) == (count_once.name, "default")
    assert message.delivered_at is None
    assert queue.messages == []


def test_a_rollback_takes_it_back(queue: Queue) -> None:
    with transaction.atomic():
        outbox.send(count_once, "hello")
        transaction.set_rollback(True)
    assert not Message.objects.exists()


def test_it_carries_the_id_of_the_request(queue: Queue) -> None:
    bind_request_id("request-0001")
    try:
        outbox.send(count_once, "hello")
    finally:
        clear_context()
    assert Message.objects.get().headers == {"request_id": "request-0001"}


def test_a_task_that_is_not_idempotent_is_refused_with_the_remedy() -> None:
    with pytest.raises(TypeError, match=r"say' is not idempotent.*base=IdempotentTask"):
        outbox.send(say, "hello")


def test_arguments_are_checked_where_it_is_sent() -> None:
    with pytest.raises(TypeError, match="missing 1 required"):
        outbox.send(count_once)
    with pytest.raises(EncodeError):
        outbox.send(count_once, object())
    with pytest.raises(ValueError, match="262144 fit: pass the id"):
        outbox.send(count_once, "x" * 300_000)
    with pytest.raises(ValueError, match="101 characters; 100 fit"):
        outbox.send(count_once, "hello", key="k" * 101)
    assert not Message.objects.exists()


def test_in_tests_its_task_runs_on_commit() -> None:
    with transaction.atomic():
        outbox.send(count_once, "eager")
        assert counted("eager") == 0
    assert counted("eager") == 1
