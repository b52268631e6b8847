"""The web process with the drills' operations beside the service's own.

    start.sh web drills.app.web:application

`POST /api/drill/ours/` writes a row and sends its task by the outbox; `/api/drill/naive/` does the
same with `on_commit(task.delay)`; `/api/drill/visits/` is a page with a session. The body is
`{"id": uuid, "seconds": how long the task works}`.
"""

from __future__ import annotations

# isort: off
from config.wsgi import application  # first: it sets Django up, which models need

# isort: on
from functools import partial
from typing import Any

import httpx2
from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.urls import path
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.urls import handler400, handler403, handler404, handler500
from config.urls import urlpatterns as service
from core import outbound, outbox
from drills.app import tasks
from scripts.servers import HOST

__all__ = ["application", "handler400", "handler403", "handler404", "handler500", "urlpatterns"]

# Django reads it for each request.
settings.ROOT_URLCONF = __name__


class _Order(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    seconds = serializers.FloatField(default=0.0)


class _Open(APIView):
    """Anybody's, as often as they like: who calls is not what is drilled."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()


class Orders(_Open):
    is_naive = False
    # Another statement for the order's id, of a drill that has a table of its own.
    also = ""

    def post(self, request: Request) -> Response:
        order = _Order(data=request.data)
        order.is_valid(raise_exception=True)
        request_id, seconds = str(order.validated_data["id"]), order.validated_data["seconds"]
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO drill_order (request_id) VALUES (%s)", [request_id])
                if self.also:
                    cursor.execute(self.also, [request_id])
            if self.is_naive:
                transaction.on_commit(partial(tasks.naive.delay, request_id, seconds))
            else:
                outbox.send(tasks.once, request_id, seconds)
        return Response({"id": request_id}, status=201)


class Visits(_Open):
    """What a page does: the visitor's session, and a cached value. 401 for a session that is lost.

    GET is the first visit and gives the cookie.
    """

    def get(self, request: Request) -> Response:
        request.session["visitor"] = 1
        return Response({})

    def post(self, request: Request) -> Response:
        cache.get_or_set("drill", 1)
        return Response({}, status=200 if "visitor" in request.session else 401)


class Partner(_Open):
    """Asks somebody else's server on this machine, which may not answer: 502 then."""

    is_naive = False
    client = outbound.client(total=1.0, retries=0)

    def post(self, request: Request, port: int) -> Response:
        url = f"http://{HOST}:{port}/hang"
        try:
            answer = httpx2.get(url, timeout=60) if self.is_naive else self.client.get(url)
        except httpx2.TransportError as error:
            return Response({"reason": str(error)}, status=502)
        return Response({}, status=answer.status_code)


urlpatterns = [
    path("api/drill/partner/<int:port>/", Partner.as_view()),
    path("api/drill/naive-partner/<int:port>/", Partner.as_view(is_naive=True)),
    path("api/drill/ours/", Orders.as_view()),
    path("api/drill/naive/", Orders.as_view(is_naive=True)),
    path("api/drill/visits/", Visits.as_view()),
    *service,
]
