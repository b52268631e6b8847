"""A mistake in a call is found where the task is called, in tests as in production."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from celery import shared_task
from celery.exceptions import QueueNotFound
from kombu.exceptions import EncodeError

from apps.users.models import User
from core.tasks import publishing

received: list[object] = []


@shared_task
def receive(*values: object) -> None:
    received.extend(values)


@shared_task
def take_one(value: object) -> None: ...


@pytest.fixture(params=["eager", "by the broker"])
def mode(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of a call; the broker is not running, and not reached by what is wrong before."""
    received.clear()
    monkeypatch.setitem(receive.app.conf, "task_always_eager", request.param == "eager")
    monkeypatch.setattr(publishing, "publish", lambda *_, **__: pytest.fail("was published"))


@pytest.mark.usefixtures("mode")
@pytest.mark.parametrize("value", [User(email="a@example.org"), {1, 2}, object()], ids=type)
def test_a_model_instance_a_set_or_an_object_is_refused(value: object) -> None:
    with pytest.raises(EncodeError):
        receive.delay(value)
    with pytest.raises(EncodeError):
        receive.delay([{"deep": value}])


@pytest.mark.usefixtures("mode")
def test_a_missing_argument_is_refused() -> None:
    with pytest.raises(TypeError, match="value"):
        take_one.delay()  # type: ignore[call-arg]


@pytest.mark.usefixtures("mode")
def test_an_unknown_queue_is_refused() -> None:
    with pytest.raises(QueueNotFound, match="hihg"):
        receive.apply_async(queue="hihg")


def test_dates_decimals_and_uuids_arrive_as_themselves_and_a_tuple_as_a_list() -> None:
    received.clear()
    values = (date(2026, 2, 28), Decimal("9.90"), UUID(int=7), (1, "two"))
    receive.delay(*values)
    assert received == [date(2026, 2, 28), Decimal("9.90"), UUID(int=7), [1, "two"]]


def test_a_task_sees_a_copy_of_what_the_caller_passed() -> None:
    received.clear()
    mine = {"count": 1}
    receive.delay(mine)
    mine["count"] = 2
    assert received == [{"count": 1}]
