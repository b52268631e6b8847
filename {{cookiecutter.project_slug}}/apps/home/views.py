"""The page at `/`: in development it says what runs and where to go; elsewhere the name alone."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.home import demo, panels

# Seconds between two looks of an open page; a tab in the background does not look.
REFRESH = 4
# The same where scripts are off, and the whole page is loaded again.
REFRESH_WITHOUT_SCRIPT = 15


@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The service's name; with DEBUG also what runs and how it is, which is nobody else's."""
    context: dict[str, Any] = {
        "name": settings.PROJECT_NAME,
        "description": settings.PROJECT_DESCRIPTION,
    }
    if not settings.DEBUG:
        return render(request, "home/home.html", context)
    return render(
        request,
        "home/development.html",
        context
        | _states()
        | {
            "links": _links(),
            "login": demo,
            "refresh": REFRESH,
            "refresh_without_script": REFRESH_WITHOUT_SCRIPT,
        },
    )


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The part of the page that moves. Raises `Http404` unless DEBUG is on."""
    if not settings.DEBUG:
        raise Http404
    return render(request, "home/live.html", _states())


def _states() -> dict[str, Any]:
    found = panels.collect()
    return {"panels": found, "troubles": [name for panel in found for name in panel.troubles]}


def _links() -> list[dict[str, str]]:
    pages = [
        (reverse("docs"), "API", "read it and try it"),
        (reverse("schema"), "API schema", "the same as OpenAPI"),
        (reverse("admin:index"), "Admin", "users and data"),
        ("/livez", "/livez", "does the process answer"),
        ("/readyz", "/readyz", "may it get requests"),
        ("/__heartbeat__", "/__heartbeat__", "servers, for programs"),
        ("/__version__", "/__version__", "what is running"),
    ]
    return [{"url": url, "name": name, "purpose": purpose} for url, name, purpose in pages]
