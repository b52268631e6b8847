"""Start the budget of each request, and know which request each thread is busy with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from threading import get_ident
from time import monotonic
from typing import cast

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import close_old_connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from core import deadline
from core.middleware import Answer, AsyncAnswer, Middleware


@dataclass(frozen=True, slots=True)
class Running:
    """A request that holds a thread, and since when (CLOCK_MONOTONIC)."""

    request: HttpRequest
    since: float


running: dict[int, Running] = {}
"""What each thread of this process is busy with, by `threading.get_ident()`."""


class DeadlineMiddleware(Middleware):
    """DEADLINE_SECONDS for each request, from the moment it reaches a thread.

    Under threads nothing is interrupted: what waits asks `core.deadline` for how long it may. The
    budget covers the response's body as well, which holds the thread: a stream belongs to the
    streaming process. There the wait itself is cancelled, and the budget ends when the response
    starts; a stream has bounds of its own (`core.deadline.streams`).

    The time a request waited for a thread is not counted. Weighed: X-Request-Start of the proxy;
    two clocks that disagree by the budget would refuse every request.
    """

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._is_async:
            return self._call_async(request)
        thread = get_ident()
        running[thread] = Running(request, monotonic())

        def close() -> None:
            running.pop(thread, None)
            deadline.end()

        deadline.begin(settings.DEADLINE_SECONDS)
        try:
            response = cast("Answer", self.get_response)(request)
        except BaseException:
            close()
            raise
        if not response.streaming:
            deadline.end()  # its body is ready; what is left is to write it
        # Django's list of what to close with the response; its stubs do not know it.
        response._resource_closers.append(close)  # type: ignore[attr-defined]
        return response

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        seconds = settings.DEADLINE_SECONDS
        deadline.begin(seconds)
        try:
            async with asyncio.timeout(seconds):
                response = await cast("AsyncAnswer", self.get_response)(request)
                if response.streaming:  # it may last for minutes: see core.db.connection.give_back
                    await sync_to_async(close_old_connections)()
                return response
        except TimeoutError:  # ours: Django has made a response of any that a view raised
            raise deadline.Exhausted from None
        finally:
            deadline.end()
