"""A view that takes Idempotency-Key, beside the service's own URLs."""

from __future__ import annotations

import time
from decimal import Decimal
from http import HTTPStatus

import structlog
from django.contrib.auth.models import Group
from django.urls import path
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.urls import handler400, handler403, handler404, handler500
from config.urls import urlpatterns as service_urlpatterns
from core.idempotency.views import idempotent

__all__ = ["handler400", "handler403", "handler404", "handler500"]

logger = structlog.get_logger("testapp")

URL = "/api/test/groups/1/"


class Groups(APIView):
    """Makes a group of that name. `then` says how it ends, `seconds` how long it takes."""

    permission_classes = [AllowAny]

    @idempotent
    def post(self, request: Request, number: int) -> Response:
        """The effect comes first, so that what follows may take it back."""
        before = Group.objects.filter(name__startswith=request.data["name"]).count()
        group = Group.objects.create(name=f"{request.data['name']} {before}")
        logger.info("group written", group=group.name)
        time.sleep(request.data.get("seconds", 0))
        match request.data.get("then"):
            case "invalid":
                raise ValidationError({"name": ["Wrong."]})
            case "refused":
                return Response({"detail": "Wrong."}, status=HTTPStatus.CONFLICT)
            case "bug":
                raise RuntimeError("secret detail")
            case "empty":
                return Response(status=HTTPStatus.NO_CONTENT)
        answer = {"id": group.pk, "name": group.name, "price": Decimal("1.10")}
        return Response(
            answer, status=HTTPStatus.CREATED, headers={"Location": f"/groups/{group.pk}/"}
        )


urlpatterns = [path("api/test/groups/<int:number>/", Groups.as_view()), *service_urlpatterns]
