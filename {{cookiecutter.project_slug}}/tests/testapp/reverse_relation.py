"""A view with an N+1 that no fetch mode mends: what others have written about each row."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.urls import path

from apps.users.models import User
from config.urls import handler400, handler403, handler404, handler500
from config.urls import urlpatterns as service

__all__ = ["handler400", "handler403", "handler404", "handler500"]


def histories(_: HttpRequest) -> JsonResponse:
    """Every user with what they did in the admin."""
    return JsonResponse({"results": [history(user) for user in User.objects.order_by("pk")]})


def history(user: User) -> list[str]:
    return [str(entry) for entry in user.logentry_set.all()]


urlpatterns = [path("test/histories/", histories), *service]
