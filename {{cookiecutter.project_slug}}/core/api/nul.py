"""Refuse NUL characters before they reach the database."""

from __future__ import annotations

from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from core.middleware import Middleware
from core.problems.handlers import bad_request


class NulMiddleware(Middleware):
    """400 for a NUL in path, query string or cookie.

    PostgreSQL stores none, so `?name=a%00` that reaches a query is a DataError and a 500; so is a
    session cookie that spells one as `"\\000"`. Bodies are read by parsers and forms, which check
    for themselves; headers by the server.
    """

    def before(self, request: HttpRequest) -> HttpResponseBase | None:
        return bad_request(request, BadRequest()) if _holds_nul(request) else None


def _holds_nul(request: HttpRequest) -> bool:
    query = request.META.get("QUERY_STRING", "")
    if "%00" in query or "\0" in query or "\0" in request.path:
        return True
    # Octal escapes are decoded inside a quoted cookie; without a backslash there is none.
    return "\\" in request.META.get("HTTP_COOKIE", "") and any(
        "\0" in value for value in request.COOKIES.values()
    )
