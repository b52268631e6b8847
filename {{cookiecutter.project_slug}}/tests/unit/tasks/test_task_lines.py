"""What a task writes, seen from the request that causes it."""

from __future__ import annotations

from typing import Any

import pytest
from celery import shared_task
from structlog.contextvars import get_contextvars

from core.requests.context import bind_request_id, clear_context
from core.tasks.logs import NotSaidTwice, send_request_id
from tests.logged import logged

seen: list[dict[str, Any]] = []


@shared_task
def look() -> None:
    seen.append(get_contextvars())


@shared_task
def break_down() -> None:
    raise ZeroDivisionError("of the task")


@pytest.fixture(autouse=True)
def _clean_context() -> Any:
    clear_context()
    seen.clear()
    yield
    clear_context()


def test_the_request_id_travels_in_the_message() -> None:
    bind_request_id("request-0001")
    headers: dict[str, Any] = {}
    send_request_id(headers=headers)
    assert headers == {"request_id": "request-0001"}


def test_a_retry_keeps_the_id_that_its_message_has() -> None:
    bind_request_id("request-0002")
    headers = {"request_id": "request-0001"}
    send_request_id(headers=headers)
    assert headers == {"request_id": "request-0001"}


def test_without_a_request_nothing_is_sent() -> None:
    headers: dict[str, Any] = {}
    send_request_id(headers=headers)
    assert headers == {}


def test_an_eager_task_binds_its_name_and_gives_the_request_its_own_back() -> None:
    bind_request_id("request-0001")
    look.delay()
    assert seen[0]["request_id"] == "request-0001"
    assert seen[0]["task"].endswith(".look")
    assert get_contextvars() == {"request_id": "request-0001"}


def test_start_and_success_are_lines_with_task_id_queue_and_duration() -> None:
    with logged() as lines:
        result = look.delay()
    started, succeeded = lines.json
    assert (started["message"], succeeded["message"]) == ("task started", "task succeeded")
    for line in (started, succeeded):
        assert line["task"].endswith(".look")
        assert (line["task_id"], line["queue"]) == (result.id, "default")
    assert succeeded["duration_ms"] >= 0


def test_a_failure_prints_its_traceback_once() -> None:
    with logged() as lines:
        break_down.apply(throw=False)
    assert [line["message"] for line in lines.json] == ["task started", "task failed"]
    assert lines.text.count("ZeroDivisionError: of the task") == 1
    assert "in break_down" in lines.json[1]["exception"]


def test_what_celery_says_of_a_failed_task_a_second_time_is_dropped() -> None:
    from celery.worker import request

    assert any(isinstance(each, NotSaidTwice) for each in request.logger.filters)
    with logged() as lines:
        request.logger.error("Task handler raised error: %r", KeyError(), exc_info=True)
        request.logger.error("Failed to retry task %s[%s] after worker was lost: %r", 1, 2, 3)
    assert len(lines.json) == 1
