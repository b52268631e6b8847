"""Refuse NUL characters before they reach the database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from core.api.handlers import bad_request

Answer = Callable[[HttpRequest], HttpResponseBase]
AsyncAnswer = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


class NulMiddleware:
    """400 for a NUL in path, query string or cookie.

    PostgreSQL stores none, so `?name=a%00` that reaches a query is a DataError and a 500; so is a
    session cookie that spells one as `"\\000"`. Bodies are read by parsers and forms, which check
    for themselves; headers by the server.
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
        if _holds_nul(request):
            return bad_request(request, BadRequest())
        return cast("Answer", self.get_response)(request)

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        if _holds_nul(request):
            return bad_request(request, BadRequest())
        return await cast("AsyncAnswer", self.get_response)(request)


def _holds_nul(request: HttpRequest) -> bool:
    query = request.META.get("QUERY_STRING", "")
    if "%00" in query or "\0" in query or "\0" in request.path:
        return True
    # Octal escapes are decoded inside a quoted cookie; without a backslash there is none.
    return "\\" in request.META.get("HTTP_COOKIE", "") and any(
        "\0" in value for value in request.COOKIES.values()
    )
