"""The two requests that are measured: one that does nothing, and one that asks the database."""

from __future__ import annotations

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path


def static(_: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok", "items": [1, 2, 3]})


def query(_: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return JsonResponse({"found": cursor.fetchone()[0]})


urlpatterns = [path("static-json/", static), path("one-query/", query)]
