"""Views that go wrong in every way an API can, beside the service's own URLs."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.urls import path
from rest_framework import serializers
from rest_framework.exceptions import Throttled, ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.urls import handler400, handler403, handler404, handler500
from config.urls import urlpatterns as service_urlpatterns
from core.storage import StorageUnavailableError

__all__ = ["handler400", "handler403", "handler404", "handler500"]


class _Item(serializers.Serializer[Any]):
    name = serializers.CharField()
    count = serializers.IntegerField(min_value=1)


class _Body(serializers.Serializer[Any]):
    title = serializers.CharField()
    items = _Item(many=True, required=False)

    def validate(self, body: Any) -> Any:
        if body["title"] == "whole":
            raise serializers.ValidationError("Wrong as a whole.", code="whole")
        return body


class Echo(APIView):
    """Answers what it was sent, once it is valid."""

    permission_classes = [AllowAny]

    def post(self, request: Request) -> Response:
        body = _Body(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(body.validated_data)


class Failing(APIView):
    """Raises what its path says."""

    permission_classes = [AllowAny]
    errors = {
        "bug": RuntimeError("secret detail"),
        "forbidden": PermissionDenied(),
        "bad": BadRequest("secret detail"),
        "suspicious": SuspiciousOperation("secret detail"),
        "unstored": StorageUnavailableError("secret detail"),
        "throttled": Throttled(wait=7),
        "nested": ValidationError({"lines": [{}, {"a/b~c": ["wrong"]}], "names": ["odd", "rude"]}),
    }

    def get(self, request: Request, name: str) -> Response:
        raise self.errors[name]


def broken_page(request: Any) -> Any:
    """A bug outside of the API."""
    raise RuntimeError("secret detail")


urlpatterns = [
    path("api/test/echo/", Echo.as_view()),
    path("api/test/plain/", broken_page),
    path("api/test/<str:name>/", Failing.as_view()),
    path("broken/", broken_page),
    *service_urlpatterns,
]
