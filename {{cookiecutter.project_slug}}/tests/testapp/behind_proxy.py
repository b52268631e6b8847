"""The web process with views that say what reached them, for a test of what stands in front.

start_role("web", "tests.testapp.behind_proxy:application")
"""

from __future__ import annotations

from config.wsgi import application

# isort: split
import time

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from config.urls import handler400, handler403, handler404, handler500
from config.urls import urlpatterns as service
from core.requests.address import client_address

__all__ = ["application", "handler400", "handler403", "handler404", "handler500", "urlpatterns"]

# Django reads it for each request.
settings.ROOT_URLCONF = __name__


@csrf_exempt
def echo(request: HttpRequest) -> HttpResponse:
    """Every header, and what Django makes of them."""
    return JsonResponse(
        {
            "headers": dict(request.headers),
            "scheme": request.scheme,
            "host": request.get_host(),
            "client": client_address(request),
            "body": len(request.body),
        }
    )


def text(request: HttpRequest, size: int) -> HttpResponse:
    return HttpResponse("a" * size, content_type="text/plain")


def wait(request: HttpRequest, milliseconds: int) -> HttpResponse:
    time.sleep(milliseconds / 1000)
    return HttpResponse("done")


urlpatterns = [
    *(path(f"{prefix}test/echo/", echo) for prefix in ("", "api/")),
    path("test/text/<int:size>/", text),
    path("test/wait/<int:milliseconds>/", wait),
    *service,
]
