"""The web process with views that wait, and times that a test can wait for.

    start_role("web", "--timeout", "3", "tests.testapp.waiting:application")

A deadline of 2 s; a request counts as stalled 2 s after `--timeout`.
"""

from __future__ import annotations

# isort: off
from config.wsgi import application  # first: it sets Django up, which models need

# isort: on
import time
from typing import Any

import httpx2
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.urls import handler400, handler403, handler404, handler500
from core import deadline
from core.server import stalls

__all__ = ["application", "handler400", "handler403", "handler404", "handler500", "urlpatterns"]

DEADLINE = 2.0
LATER = 2.0

settings.ROOT_URLCONF = __name__
settings.DEADLINE_SECONDS = DEADLINE
stalls.LATER = LATER


def query(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def fast(_: HttpRequest) -> HttpResponse:
    return HttpResponse("fast")


def row(_: HttpRequest) -> HttpResponse:
    """Which connection it came by."""
    return HttpResponse(str(query("SELECT pg_backend_pid()")))


def remember(request: HttpRequest) -> HttpResponse:
    """The session is written by its middleware, once the view is done."""
    request.session["word"] = "kept"
    return HttpResponse("kept")


def slow_query(_: HttpRequest) -> HttpResponse:
    """One query, longer than the role's statement_timeout unless the deadline is shorter."""
    query("SELECT pg_sleep(60)")
    return HttpResponse("awake")


def many_queries(_: HttpRequest) -> HttpResponse:
    """None of which is slow."""
    while True:
        query("SELECT pg_sleep(0.3)")


def half_done(_: HttpRequest, key: str) -> HttpResponse:
    """Runs out of time in the middle of a transaction."""
    with transaction.atomic():
        Session.objects.create(session_key=key, session_data="", expire_date=timezone.now())
        time.sleep(DEADLINE)
        Session.objects.filter(session_key=key).update(session_data="late")
    return HttpResponse("done")


def upstream(request: HttpRequest) -> HttpResponse:
    """Calls another system, with a patience of its own that is longer than the deadline."""
    try:
        answer = httpx2.get(request.GET["url"], timeout=deadline.timeout(60))
    except httpx2.TimeoutException:
        deadline.check()  # ours was the shorter one: 503
        return HttpResponse(status=504)
    return HttpResponse(answer.content)


def sleep(request: HttpRequest, seconds: int) -> HttpResponse:
    """Asks nobody for how long it may."""
    time.sleep(seconds)
    return HttpResponse("awake")


class Query(APIView):
    """Runs the SQL that it is sent."""

    permission_classes = [AllowAny]

    def post(self, request: Request) -> Response:
        return Response(query(request.data["sql"]))


urlpatterns = [
    path("fast/", fast),
    path("row/", row),
    path("api/test/row/", row),
    path("remember/", remember),
    path("slow-query/", slow_query),
    path("many-queries/", many_queries),
    path("half-done/<str:key>/", half_done),
    path("upstream/", upstream),
    path("sleep/<int:seconds>/", sleep),
    path("api/test/query/", Query.as_view()),
]
