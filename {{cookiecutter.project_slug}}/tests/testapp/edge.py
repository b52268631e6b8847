"""A page about a group that the edge keeps for an hour, and forgets when the group changes."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import Group
from django.db import transaction
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.urls import handler400, handler403, handler404, handler500
from config.urls import urlpatterns as service_urlpatterns
from core import edge
from core.caching.policy import Public

__all__ = ["handler400", "handler403", "handler404", "handler500"]

edge.purge_on_change(Group, lambda group: [f"/api/test/group/{group.pk}/", f"group:{group.pk}"])


class GroupPage(APIView):
    authentication_classes = ()
    permission_classes = ()
    cache_policy: ClassVar = Public(max_age=0, edge_age=3600)

    def get(self, request: Request, pk: int) -> Response:
        return Response({"name": Group.objects.get(pk=pk).name})

    def put(self, request: Request, pk: int) -> Response:
        """Rename it, and take that back where the body says so."""
        with transaction.atomic():
            Group.objects.select_for_update().get(pk=pk)
            Group(pk=pk, name=request.data["name"]).save()
            transaction.set_rollback(request.data.get("take_back", False))
        return Response()


class Tagged(GroupPage):
    def get(self, request: Request, pk: int) -> Response:
        return edge.tagged(super().get(request, pk), f"group:{pk}")


urlpatterns = [
    path("api/test/group/<int:pk>/", GroupPage.as_view()),
    path("api/test/tagged/<int:pk>/", Tagged.as_view()),
    *service_urlpatterns,
]
