"""A task leaves the process when the transaction that causes it commits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from celery import group
from django.db import transaction

from core.requests.context import bind_request_id, clear_context
from tests.broker import Queue
from tests.testapp.tasks import say

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def rolled_back() -> Iterator[None]:
    """A block whose writes fail in the end."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def test_it_waits_for_the_commit_and_has_the_id_that_the_caller_got(queue: Queue) -> None:
    with transaction.atomic():
        result = say.delay("hello")
        assert queue.messages == []
    [message] = queue.messages
    assert (message["id"], message["args"]) == (result.id, ["hello"])


def test_without_a_transaction_it_is_sent_at_once(queue: Queue) -> None:
    result = say.delay("hello")
    assert [message["id"] for message in queue.messages] == [result.id]


def test_a_rollback_takes_it_back(queue: Queue) -> None:
    with rolled_back():
        say.delay("hello")
    assert queue.messages == []


def test_the_rollback_of_an_inner_block_takes_back_what_that_block_sent(queue: Queue) -> None:
    with transaction.atomic():
        say.delay("outer")
        with rolled_back():
            say.delay("lost")
        with transaction.atomic():
            say.delay("inner")
        assert queue.messages == []
    assert queue.words == ["outer", "inner"]


def test_it_carries_what_was_passed_whatever_the_caller_does_before_the_commit(
    queue: Queue,
) -> None:
    words = {"word": "first"}
    with transaction.atomic():
        say.delay(words)
        words["word"] = "second"
    assert queue.words == [{"word": "first"}]


def test_publish_now_does_not_wait_and_survives_the_rollback(queue: Queue) -> None:
    with rolled_back():
        say.apply_async(("hello",), publish_now=True)
        assert queue.words == ["hello"]
    assert queue.words == ["hello"]


def test_a_retry_inside_a_transaction_is_sent_at_once(queue: Queue) -> None:
    with transaction.atomic():
        say.signature(("again",)).apply_async(retries=1)
        assert queue.words == ["again"]


def test_a_chain_is_sent_on_commit_as_well(queue: Queue) -> None:
    with transaction.atomic():
        (say.si("first") | say.si("second")).apply_async()
        assert queue.messages == []
    assert queue.words == ["first"]


def test_a_group_is_sent_on_commit_as_well(queue: Queue) -> None:
    with transaction.atomic():
        group(say.s("one"), say.s("two")).apply_async()
        assert queue.messages == []
    assert queue.words == ["one", "two"]


def test_the_message_has_the_id_of_the_request(queue: Queue) -> None:
    bind_request_id("request-0001")
    try:
        with transaction.atomic():
            say.delay("hello")
    finally:
        clear_context()
    assert queue.messages[0]["request_id"] == "request-0001"


def test_an_eager_task_runs_on_commit_and_its_failure_is_seen() -> None:
    from tests.testapp.tasks import fail

    with pytest.raises(ValueError, match="seen"), transaction.atomic():
        fail.delay("seen")
