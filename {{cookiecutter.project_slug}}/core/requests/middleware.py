"""The outermost middleware: a request id, and one log line per request."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from time import perf_counter
from typing import Any, cast

import structlog
from django.core.signals import request_finished
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import empty

from core.middleware import Answer, AsyncAnswer, Middleware
from core.requests.address import client_address
from core.requests.context import bind_request_id, clear_context

_logger = structlog.get_logger("request")

# nginx's word for a client that left before the answer.
_CLIENT_CLOSED_REQUEST = 499


class RequestMiddleware(Middleware):
    """Give each request an id, and say in one line how it went.

    The id comes from X-Request-ID when it is one (`core.requests.context`), else it is new. It is
    `request.request_id`, the response's X-Request-ID, and bound for every line until the response
    is closed, so that a streamed body logs with it too.

    The line holds method, path without query (queries carry personal data and tokens), route (the
    URL pattern: bounded, so it can be counted), status, duration_ms, bytes where known, client
    address, and user_id if some code asked for the user: the line itself never loads a session. A
    stream's line comes when it ends. Level: `error` from 500 on, else `info`: a 4xx is the
    client's mistake, and an alarm on it would be at the client's command.
    """

    def __init__(self, get_response: Answer | AsyncAnswer) -> None:
        super().__init__(get_response)
        # A thread serves other requests after this one; its context must not reach them.
        request_finished.connect(_forget, dispatch_uid="core.requests")

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._is_async:
            return self._call_async(request)
        started = _begin(request)
        try:
            response = cast("Answer", self.get_response)(request)
        except BaseException:
            _log(request, started, status=_CLIENT_CLOSED_REQUEST)
            raise
        return _end(request, response, started)

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        started = _begin(request)
        try:
            response = await cast("AsyncAnswer", self.get_response)(request)
        except BaseException:
            # Django turns every exception of a view into a response; what passes here is the
            # cancellation that follows a client's departure, or the worker's end.
            _log(request, started, status=_CLIENT_CLOSED_REQUEST)
            raise
        return _end(request, response, started)


def _forget(**_: Any) -> None:
    clear_context()


def _begin(request: HttpRequest) -> float:
    started = perf_counter()
    clear_context()
    request.request_id = bind_request_id(  # type: ignore[attr-defined]
        request.META.get("HTTP_X_REQUEST_ID")
    )
    return started


def _end(request: HttpRequest, response: HttpResponseBase, started: float) -> HttpResponseBase:
    response.headers["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
    if response.streaming:

        def close() -> None:
            _log(request, started, status=response.status_code)

        # Django's list of what to close with the response; its stubs do not know it.
        response._resource_closers.append(close)  # type: ignore[attr-defined]
    else:
        length = response.headers.get("Content-Length", "")
        size = int(length) if length.isdecimal() else None
        _log(request, started, status=response.status_code, size=size)
    return response


def _log(request: HttpRequest, started: float, *, status: int, size: int | None = None) -> None:
    level = logging.ERROR if status >= 500 else logging.INFO
    fields: dict[str, Any] = {
        "method": request.method,
        "path": request.path,
        "status": status,
        "duration_ms": round((perf_counter() - started) * 1000, 3),
        "client": client_address(request),
    }
    if request.resolver_match is not None:
        fields["route"] = request.resolver_match.route
    if size is not None:
        fields["bytes"] = size
    if (user_id := _user_id(request)) is not None:
        fields["user_id"] = user_id
    _logger.log(level, "request", **fields)


def _user_id(request: HttpRequest) -> Any:
    user = getattr(request, "user", None)
    # Django's lazy user: `empty` until some code looked at it.
    user = getattr(user, "_wrapped", user)
    return None if user is empty else getattr(user, "pk", None)
