"""How long a failed task waits for its next run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from celery import shared_task
from celery.exceptions import Reject, Retry
from django.db import OperationalError

from core.tasks.base import TRANSIENT

errors: list[Exception] = []


@shared_task
def fail_with_next() -> None:
    raise errors.pop()


@shared_task(autoretry_for=(*TRANSIENT, LookupError))
def fail_with_lookup() -> None:
    raise KeyError("later")


@pytest.fixture
def countdown(monkeypatch: pytest.MonkeyPatch) -> Callable[..., float]:
    """Run the task as its run number `retries` and return the seconds it asks to wait."""

    def run(task: Any, retries: int) -> float:
        asked: list[float] = []

        def retry(*, countdown: float, **_: Any) -> Retry:
            asked.append(countdown)
            return Retry()

        monkeypatch.setattr(task, "retry", retry)
        task.push_request(retries=retries, called_directly=False)
        try:
            with pytest.raises(Retry):
                task.run()
        finally:
            task.pop_request()
        return asked[0]

    return run


def test_waits_grow_twofold_to_ten_minutes_and_are_spread_between_nothing_and_that(
    countdown: Callable[..., float],
) -> None:
    for retries, longest in enumerate([2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]):
        errors[:] = [TimeoutError() for _ in range(100)]
        waits = [countdown(fail_with_next, retries) for _ in range(100)]
        assert all(0 <= wait <= longest for wait in waits)
        assert max(waits) > longest / 2
        assert min(waits) < longest / 2


@pytest.mark.parametrize(
    "error",
    [ConnectionResetError(), TimeoutError(), OperationalError("server closed the connection")],
    ids=repr,
)
def test_what_passes_by_itself_is_tried_again(
    error: Exception, countdown: Callable[..., float]
) -> None:
    errors[:] = [error]
    assert countdown(fail_with_next, 0) >= 0


def test_a_bug_fails_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fail_with_next, "retry", lambda **_: pytest.fail("was tried again"))
    errors[:] = [ZeroDivisionError()]
    fail_with_next.push_request(called_directly=False)
    try:
        with pytest.raises(ZeroDivisionError):
            fail_with_next.run()
    finally:
        fail_with_next.pop_request()


def test_a_task_may_name_what_else_passes(countdown: Callable[..., float]) -> None:
    assert countdown(fail_with_lookup, 0) >= 0


def test_a_retry_that_the_broker_refuses_returns_the_message_instead_of_dropping_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("OOM command not allowed")

    monkeypatch.setattr("celery.canvas.Signature.apply_async", refuse)
    fail_with_next.push_request(called_directly=False, is_eager=False, args=[], kwargs={})
    try:
        with pytest.raises(Reject) as rejected:
            fail_with_next.retry()
    finally:
        fail_with_next.pop_request()
    assert rejected.value.requeue
