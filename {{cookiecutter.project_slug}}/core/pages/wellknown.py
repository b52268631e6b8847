"""robots.txt, security.txt and the favicon: asked of every site, whether it has them or not.

Views and not static files: two of them say what the settings say, and none waits for collectstatic.
Weighed: django-robots keeps rules in tables; WhiteNoise's root folder sends files as they are.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from core.pages.middleware import API_PREFIX, may_be_indexed

# Seconds that a browser or a CDN may keep them.
HOUR, DAY, WEEK = 3_600, 86_400, 604_800
# Days until security.txt counts as stale, from the day it is asked for: RFC 9116 recommends less
# than a year, and who has an old copy should fetch a new one.
VALID_FOR = timedelta(days=180)

_FAVICONS = Path(__file__).parent / "favicon"
_SVG = (_FAVICONS / "favicon.svg").read_bytes()
_ICO = (_FAVICONS / "favicon.ico").read_bytes()


@require_safe
@cache_control(public=True, max_age=HOUR)
def robots(request: HttpRequest) -> HttpResponse:
    """Everything but the API on the public host of production; nothing anywhere else.

    The admin is not named: on the public host it does not exist, and this file would tell of it.
    """
    closed = API_PREFIX if may_be_indexed(request) else "/"
    return HttpResponse(f"User-agent: *\nDisallow: {closed}\n", content_type="text/plain")


@require_safe
@cache_control(public=True, max_age=DAY)
def security(request: HttpRequest) -> HttpResponse:
    """Whom to tell about a hole, by RFC 9116: settings.SECURITY_CONTACT, else our mail's sender."""
    expires = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + VALID_FOR
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    fields = {
        "Contact": settings.SECURITY_CONTACT or f"mailto:{sender}",
        "Expires": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "Preferred-Languages": settings.LANGUAGE_CODE,
        "Canonical": request.build_absolute_uri(request.path),
    }
    text = "".join(f"{name}: {value}\n" for name, value in fields.items())
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


@require_safe
@cache_control(public=True, max_age=WEEK)
def favicon_svg(_: HttpRequest) -> HttpResponse:
    return HttpResponse(_SVG, content_type="image/svg+xml")


@require_safe
@cache_control(public=True, max_age=WEEK)
def favicon_ico(_: HttpRequest) -> HttpResponse:
    """The same for what knows no SVG, or looks here before it has read a page."""
    return HttpResponse(_ICO, content_type="image/vnd.microsoft.icon")


urlpatterns = [
    path("robots.txt", robots),
    path(".well-known/security.txt", security),
    path("favicon.svg", favicon_svg),
    path("favicon.ico", favicon_ico),
]
