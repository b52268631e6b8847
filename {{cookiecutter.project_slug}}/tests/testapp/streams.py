"""The streaming process with views below /stream/, and times that a test can wait for.

    python -m tests.testapp.streams

A deadline of 2 s; a stream may be silent for 2 s and last for 5; MAX_STREAMS as in its environment.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from django.conf import settings

DEADLINE, IDLE, TOTAL = 2.0, 2.0, 5.0
settings.DEADLINE_SECONDS = DEADLINE
settings.STREAM_IDLE_SECONDS = IDLE
settings.STREAM_SECONDS = TOTAL

from asgiref.sync import sync_to_async  # noqa: E402 - after the times were changed
from django.db import connection  # noqa: E402
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse  # noqa: E402
from django.urls import path  # noqa: E402

from config import asgi  # noqa: E402
from config.streams import handler400, handler403, handler404, handler500  # noqa: E402
from core.db.connection import give_back  # noqa: E402

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

settings.ROOT_URLCONF = __name__


def query(sql: str = "SELECT 1") -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def in_a_thread(_: HttpRequest) -> HttpResponse:
    query()
    return HttpResponse("row")


async def in_the_loop(_: HttpRequest) -> HttpResponse:
    await sync_to_async(query)()
    return HttpResponse("row")


async def slow_query(_: HttpRequest) -> HttpResponse:
    await sync_to_async(query)("SELECT pg_sleep(1)")
    return HttpResponse("row")


def slow_query_in_a_thread(_: HttpRequest) -> HttpResponse:
    query("SELECT pg_sleep(1)")
    return HttpResponse("row")


async def hang(_: HttpRequest) -> HttpResponse:
    await asyncio.Event().wait()
    return HttpResponse("never")


async def length(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(len(request.body)))


def events(_: HttpRequest, pause: str) -> StreamingHttpResponse:
    """One event now and after each pause of so many seconds, each from the database."""

    async def body() -> AsyncIterator[bytes]:
        number = 0
        while True:
            await sync_to_async(query)()
            await give_back()
            yield b"data: %d\n\n" % number
            number += 1
            await asyncio.sleep(float(pause))

    return StreamingHttpResponse(body(), content_type="text/event-stream")


def flood(_: HttpRequest) -> StreamingHttpResponse:
    """More than any buffer between here and the client holds."""

    async def body() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65_536

    return StreamingHttpResponse(body())


urlpatterns = [
    path("stream/flood/", flood),
    path("stream/thread/", in_a_thread),
    path("stream/loop/", in_the_loop),
    path("stream/slow/", slow_query),
    path("stream/slow-thread/", slow_query_in_a_thread),
    path("stream/hang/", hang),
    path("stream/length/", length),
    path("stream/events/<str:pause>/", events),
]

if __name__ == "__main__":
    asgi.serve()
