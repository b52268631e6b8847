"""The web process for drills of what stands in front: reads, and an order that may be sent again.

    start.sh web drills.app.web_behind_proxy:application

`GET /api/drill/read/?seconds=` asks the database and takes so long; `/api/drill/large/` is a page
of 20 MB, `/api/drill/page/` one that a cache keeps for a second. `POST /api/drill/orders/` takes
effect in its own transaction, with Idempotency-Key once.
"""

from __future__ import annotations

from config.wsgi import application  # first: it sets Django up, which models need

# isort: split
import time
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.urls import handler400, handler403, handler404, handler500
from config.urls import urlpatterns as service
from core.caching.policy import Public
from core.idempotency.views import idempotent

__all__ = ["application", "handler400", "handler403", "handler404", "handler500", "urlpatterns"]

# Django reads it for each request.
settings.ROOT_URLCONF = __name__

LARGE = b"x" * 20_000_000  # more than the buffers of all sockets on the way


@cache
def _user() -> Any:
    return get_user_model().objects.get_or_create(email="drill@service.test")[0]


class _Anybody(BaseAuthentication):
    """A key is somebody's, and who calls is not what is drilled."""

    def authenticate(self, request: Request) -> tuple[Any, Any]:
        return _user(), None


class _Open(APIView):
    authentication_classes = (_Anybody,)
    throttle_classes = ()


class Read(_Open):
    def get(self, request: Request) -> Response:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM drill_order WHERE at > now() - interval '1 s'")
            found = cursor.fetchone()
        time.sleep(float(request.query_params.get("seconds", 0)))
        return Response({"orders": found})


class Orders(_Open):
    @idempotent
    def post(self, request: Request) -> Response:
        body: Any = request.data
        with transaction.atomic(), connection.cursor() as cursor:
            for table in ("drill_order", "drill_effect"):
                statement = f"INSERT INTO {table} (request_id) VALUES (%s)"  # noqa: S608 ours
                cursor.execute(statement, [body["id"]])
        return Response({}, status=201)


class Page(APIView):
    """Anybody's, and the same for all, for a second."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()
    cache_policy = Public(max_age=1)

    def get(self, request: Request) -> Response:
        return Response({"page": 1})


def large(_: HttpRequest) -> HttpResponse:
    return HttpResponse(LARGE)


urlpatterns = [
    path("api/drill/read/", Read.as_view()),
    path("api/drill/orders/", Orders.as_view()),
    path("api/drill/large/", large),
    path("api/drill/page/", Page.as_view()),
    *service,
]
