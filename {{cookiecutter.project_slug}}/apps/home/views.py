"""The page at `/`: in development it says what runs and where to go; elsewhere the name alone."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.home.dependencies import check_dependencies


@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The service's name; with DEBUG also the state of its dependencies, which is nobody else's."""
    context: dict[str, Any] = {
        "name": settings.PROJECT_NAME,
        "description": settings.PROJECT_DESCRIPTION,
    }
    if settings.DEBUG:
        context |= {"dependencies": check_dependencies(), "links": _links()}
    return render(request, "home/home.html", context)


def _links() -> list[dict[str, str]]:
    pages = [
        (reverse("docs"), "API", "read it and try it"),
        (reverse("schema"), "API schema", "the same as an OpenAPI document"),
        (reverse("admin:index"), "Admin", "users and data"),
        ("/livez", "/livez", "does the process answer"),
        ("/readyz", "/readyz", "may it get requests"),
        ("/__heartbeat__", "/__heartbeat__", "the state of each dependency, for programs"),
        ("/__version__", "/__version__", "what is running"),
    ]
    return [{"url": url, "name": name, "purpose": purpose} for url, name, purpose in pages]
