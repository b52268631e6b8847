"""Lists over users, the one table of the service that is no example."""

from __future__ import annotations

from django.urls import path
from rest_framework import generics, serializers
from rest_framework.permissions import AllowAny

from apps.users.models import User
from config.urls import handler400, handler403, handler404, handler500
from config.urls import urlpatterns as service
from core.lists.expand import Expandable
from core.lists.parameters import Filters

__all__ = ["handler400", "handler403", "handler404", "handler500"]


class UserFilters(Filters):
    """Two of one field and a flag, which a QueryDict would take for unset when it is missing."""

    name = serializers.CharField(source="name__startswith")
    after = serializers.DateTimeField(source="created_at__gt")
    staff = serializers.BooleanField(source="is_staff")
    least = serializers.IntegerField(source="id__gte")


class NameSerializer(serializers.ModelSerializer[User]):
    """What an id is expanded to."""

    class Meta:
        model = User
        fields = ["name"]


class UserSerializer(serializers.ModelSerializer[User]):
    """A user, and itself as a related object."""

    itself = Expandable(NameSerializer, path="itself", source="*")

    class Meta:
        model = User
        fields = ["id", "name", "itself"]


class Users(generics.GenericAPIView[User]):
    """What both views share."""

    authentication_classes = ()
    permission_classes = [AllowAny]
    serializer_class = UserSerializer
    queryset = User.objects.all()
    filters = UserFilters
    expandable = ("itself",)
    orderings = {
        "newest": "-created_at",
        "oldest": "created_at",
        "email": "email",
        "-name": "-name",
        "id": "id",
    }


class UserList(Users, generics.ListAPIView[User]):
    """All of them."""


class UserDetail(Users, generics.RetrieveAPIView[User]):
    """One of them."""


urlpatterns = [
    path("api/test/users/", UserList.as_view()),
    path("api/test/users/<int:pk>/", UserDetail.as_view()),
    *service,
]
