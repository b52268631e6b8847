"""The shape of a middleware that works under WSGI and ASGI without a thread in between."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

Answer = Callable[[HttpRequest], HttpResponseBase]
AsyncAnswer = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


class Middleware:
    """Override `before`, which may answer itself, or `after`, which sees every answer, or both.

    Neither may wait for anything: under ASGI they run in the event loop. Weighed: Django's
    MiddlewareMixin moves both into a thread there, for each request and each middleware.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Answer | AsyncAnswer) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._is_async:
            return self._call_async(request)
        response = self.before(request)
        if response is None:
            response = cast("Answer", self.get_response)(request)
        return self.after(request, response)

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        response = self.before(request)
        if response is None:
            response = await cast("AsyncAnswer", self.get_response)(request)
        return self.after(request, response)

    def before(self, request: HttpRequest) -> HttpResponseBase | None:
        """A response, when the view must not be called. May raise what Django turns into one."""

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """The response, changed or replaced."""
        return response
