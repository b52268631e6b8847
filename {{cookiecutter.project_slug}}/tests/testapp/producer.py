"""Views that make work for the queues, beside the service's own URLs."""

from __future__ import annotations

from django.urls import path
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.urls import handler400, handler403, handler404, handler500
from config.urls import urlpatterns as service_urlpatterns

__all__ = ["handler400", "handler403", "handler404", "handler500"]


class Low(APIView):
    """Its work may wait."""

    permission_classes = [AllowAny]
    queue = "low"

    def get(self, request: Request) -> Response:
        return Response()

    def post(self, request: Request) -> Response:
        return Response(status=202)


class Default(Low):
    """Its work has no bound."""

    queue = "default"


urlpatterns = [
    path("api/test/low/", Low.as_view()),
    path("api/test/default/", Default.as_view()),
    *service_urlpatterns,
]
