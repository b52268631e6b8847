"""What is true of every answer: an error has a page, and search engines know what is not theirs."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.http.response import HttpResponseBase

from core.middleware import Answer, AsyncAnswer, Middleware
from core.pages import errors

API_PREFIX = "/api/"


class ErrorPageMiddleware(Middleware):
    """Put the page of its status into an error that has no body.

    Django's 405 of `require_POST` and a view's `HttpResponse(status=503)` are empty, which a
    browser shows as a white window. Errors with a body, and those of the API and of streams, pass
    as they are.
    """

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if (
            response.status_code < 400
            or not isinstance(response, HttpResponse)
            or response.content
            or request.path_info.startswith(errors.PROGRAMS)
        ):
            return response
        page = errors.respond(request, response.status_code)
        # In the response that is there: it has headers (Allow, Retry-After) and cookies.
        response.content = page.content
        response.headers["Content-Type"] = page.headers["Content-Type"]
        response.headers["Content-Length"] = str(len(page.content))
        response.headers.setdefault("Cache-Control", page.headers["Cache-Control"])
        return response


class SearchEnginesMiddleware(Middleware):
    """Send `X-Robots-Tag: noindex` where settings.INDEXED is false, and on settings.ADMIN_HOST.

    robots.txt keeps crawlers away that ask it; this keeps a page out of the index that was reached
    by a link all the same. Takes itself out where neither applies.
    """

    def __init__(self, get_response: Answer | AsyncAnswer) -> None:
        if settings.INDEXED and not settings.ADMIN_HOST:
            raise MiddlewareNotUsed
        super().__init__(get_response)

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not may_be_indexed(request):
            response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response


def may_be_indexed(request: HttpRequest) -> bool:
    """Whether search engines are welcome on this host, whether it is one of ours or not."""
    # Not get_host(): this must answer for a forged host, too, and must not raise.
    host = split_domain_port(request.META.get("HTTP_HOST", ""))[0]
    return bool(settings.INDEXED) and host != (settings.ADMIN_HOST or "").lower()
