"""The web process with views that fail: `start_role("web", "tests.testapp.failing:application")`.

`config.wsgi` as it is, preloaded by `config/gunicorn.py`, with other URLs: production settings know
no view of a test.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path, re_path

from config.wsgi import application

__all__ = ["application", "urlpatterns"]

# Django reads it for each request.
settings.ROOT_URLCONF = __name__


def fail(_: HttpRequest, text: str) -> HttpResponse:
    raise ValueError(text)


def log(_: HttpRequest, text: str) -> HttpResponse:
    structlog.get_logger("shop").warning("login of " + text, username=text)
    logging.getLogger("library").warning("login of %s", text)
    return HttpResponse(text.encode("utf-8", "replace"))


def frozen(_: HttpRequest) -> HttpResponse:
    return HttpResponse(str(gc.get_freeze_count()))


def unavailable(_: HttpRequest) -> HttpResponse:
    return HttpResponse(status=503)


def stream(_: HttpRequest) -> StreamingHttpResponse:
    def body() -> Iterator[bytes]:
        structlog.get_logger("shop").warning("streaming")
        yield b"part"

    return StreamingHttpResponse(body())


# By name: the module imports the admin, which needs Django to be set up.
handler400, handler403, handler404, handler500 = (
    f"config.urls.handler{status}" for status in (400, 403, 404, 500)
)

urlpatterns = [
    # Line breaks too, which a path converter does not match.
    re_path(r"^fail/(?P<text>[\s\S]*)", fail),
    re_path(r"^log/(?P<text>[\s\S]*)", log),
    path("frozen/", frozen),
    path("unavailable/", unavailable),
    path("stream/", stream),
]
