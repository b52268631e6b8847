"""What a task's decorator says is checked when the process starts, not when the task runs."""

from __future__ import annotations

from typing import Any

import pytest
from celery import Celery
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config.celery import app
from core.tasks.base import Task


def declare(**options: Any) -> Task:
    """A task as `@shared_task(**options)` makes it, without a trace in the registry."""

    def run() -> None: ...

    task = app.task(run, name="declared", shared=False, lazy=False, **options)
    app.tasks.pop("declared")
    assert isinstance(task, Task)
    return task


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Any:
    yield
    app.tasks.pop("declared", None)


def test_a_task_goes_to_the_queue_of_its_decorator_else_to_default() -> None:
    for options, queue in [({"queue": "low"}, "low"), ({}, "default")]:
        task = declare(**options)
        assert app.amqp.router.route({}, task.name, task_type=task)["queue"].name == queue


def test_a_call_may_choose_another_queue() -> None:
    routed = app.amqp.router.route({"queue": "high"}, "x", task_type=declare(queue="low"))
    assert routed["queue"].name == "high"


def test_an_unknown_queue_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="'hihg' is none of high, default, low"):
        declare(queue="hihg")


def test_every_task_has_limits_without_asking_for_them() -> None:
    task = declare()
    visibility = settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]
    assert 0 < task.soft_time_limit < task.time_limit < visibility


@pytest.mark.parametrize(
    "limits",
    [
        {"soft_time_limit": 60, "time_limit": 60},
        {"soft_time_limit": 60, "time_limit": 30},
        {"soft_time_limit": 800, "time_limit": 900},
        {"soft_time_limit": 0},
    ],
    ids=str,
)
def test_limits_that_do_not_stand_in_order_are_refused(limits: dict[str, int]) -> None:
    with pytest.raises(ImproperlyConfigured, match="does not hold"):
        declare(**limits)


def test_the_longest_wait_for_a_retry_and_the_run_after_it_fit_the_visibility_timeout() -> None:
    task = declare()
    visibility = settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]
    assert task.retry_backoff_max + task.time_limit < visibility


def test_every_registered_task_of_the_service_is_acknowledged_late_and_keeps_no_result(
    loaded_app: Celery,
) -> None:
    ours = [task for task in loaded_app.tasks.values() if not task.name.startswith("celery.")]
    assert ours
    for task in ours:
        assert task.acks_late, task.name
        assert task.retry_on_worker_lost, task.name
        assert not task.reject_on_worker_lost, task.name
        assert task.ignore_result, task.name
