"""A budget is what the thread or the coroutine has left, and nobody else's."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from math import inf

import pytest
from asgiref.sync import sync_to_async
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import RequestFactory

from core import deadline
from core.deadline.middleware import DeadlineMiddleware, running


@pytest.fixture(autouse=True)
def _no_budget() -> Iterator[None]:
    yield
    deadline.end()


def test_there_is_no_deadline_outside_of_a_request() -> None:
    assert deadline.remaining() == inf
    assert deadline.timeout(5) == 5
    deadline.check()


def test_a_call_gets_the_lesser_of_its_own_timeout_and_the_time_left() -> None:
    with deadline.budget(10):
        assert deadline.timeout(5) == 5
        assert 9 < deadline.timeout(60) <= 10


def test_a_call_after_the_deadline_is_not_begun() -> None:
    with deadline.budget(0):
        assert deadline.remaining() <= 0
        with pytest.raises(deadline.Exhausted):
            deadline.timeout(5)
        with pytest.raises(deadline.Exhausted):
            deadline.check()


def test_an_inner_budget_never_adds_time() -> None:
    with deadline.budget(1), deadline.budget(10):
        assert deadline.remaining() <= 1
    assert deadline.remaining() == inf


def test_another_thread_has_no_part_in_it() -> None:
    seen: list[float] = []
    with deadline.budget(1):
        thread = threading.Thread(target=lambda: seen.append(deadline.remaining()))
        thread.start()
        thread.join()
    assert seen == [inf]


def test_it_follows_a_coroutine_into_a_thread() -> None:
    async def ask() -> float:
        with deadline.budget(1):
            return await sync_to_async(deadline.remaining)()

    assert asyncio.run(ask()) <= 1


def test_the_middleware_starts_it_and_takes_it_away(settings: pytest.FixtureRequest) -> None:
    settings.DEADLINE_SECONDS = 3  # type: ignore[attr-defined]
    seen: list[float] = []

    def view(_: object) -> HttpResponse:
        seen.append(deadline.remaining())
        assert running[threading.get_ident()].request.path == "/"
        return HttpResponse()

    response = DeadlineMiddleware(view)(RequestFactory().get("/"))
    assert isinstance(response, HttpResponseBase)
    assert 2 < seen[0] <= 3
    assert deadline.remaining() == inf
    response.close()
    assert threading.get_ident() not in running


def test_a_streamed_body_is_part_of_its_request_under_threads() -> None:
    def view(_: object) -> StreamingHttpResponse:
        return StreamingHttpResponse(iter([b""]))

    response = DeadlineMiddleware(view)(RequestFactory().get("/"))
    assert isinstance(response, HttpResponseBase)
    assert deadline.remaining() < inf
    response.close()
    assert deadline.remaining() == inf


def test_a_coroutine_is_cancelled_at_its_deadline(settings: pytest.FixtureRequest) -> None:
    settings.DEADLINE_SECONDS = 0.05  # type: ignore[attr-defined]
    cancelled: list[bool] = []

    async def view(_: object) -> HttpResponse:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise
        return HttpResponse()

    async def ask() -> None:
        answer = DeadlineMiddleware(view)(RequestFactory().get("/"))
        assert not isinstance(answer, HttpResponseBase)
        with pytest.raises(deadline.Exhausted):
            await answer
        assert deadline.remaining() == inf

    started = time.monotonic()
    asyncio.run(ask())
    assert cancelled == [True]
    assert time.monotonic() - started < 1
