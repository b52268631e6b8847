"""The web process with views that load its servers: `start_role("web", LOADED)`.

`config.wsgi` as it is, preloaded by `config/gunicorn.py`, with other URLs: production settings know
no view of a test.
"""

from __future__ import annotations

from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path

from config.wsgi import application
from core.tasks import publishing
from tests.testapp.tasks import say

__all__ = ["application", "urlpatterns"]

# Django reads it for each request.
settings.ROOT_URLCONF = __name__


def query(_: HttpRequest, milliseconds: int) -> HttpResponse:
    """Hold a connection of the pool for as long as a query of that length does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_sleep(%s)", [milliseconds / 1000])
        return HttpResponse(str(cursor.fetchone()[0]))


def order(request: HttpRequest, tasks: int) -> HttpResponse:
    """What a view does: it writes, sends tasks and answers.

    With `?first` as the first one that notices an outage; otherwise others may have before it.
    """
    hooks: list[str] = []
    if "first" in request.GET:
        publishing.breaker.succeeded()
    with transaction.atomic():
        for number in range(tasks):
            say.delay(f"task {number}")
        transaction.on_commit(lambda: hooks.append("later hook"))
    return HttpResponse(hooks[0], status=201)


def failures(_: HttpRequest) -> HttpResponse:
    return HttpResponse(str(publishing.failures[say.name]))


urlpatterns = [
    path("query/<int:milliseconds>/", query),
    path("order/<int:tasks>/", order),
    path("failures/", failures),
]
