"""A user's keys: created, listed, revoked."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api_keys.models import ApiKey
from apps.api_keys.serializers import (
    ApiKeySerializer,
    IssuedApiKeySerializer,
    NewApiKeySerializer,
)
from apps.users.models import User


class HasSession(BasePermission):
    """Refuses a key: one that leaks must not be able to make others that outlive it."""

    message = _("Keys are managed by people: log in.")
    code = "session_required"

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.successful_authenticator, SessionAuthentication)


class UserKeys(generics.GenericAPIView[ApiKey]):
    """The caller's own keys: another user's is not found."""

    permission_classes = [IsAuthenticated, HasSession]
    serializer_class = ApiKeySerializer
    queryset = ApiKey.objects.none()  # for the schema

    def get_queryset(self) -> QuerySet[ApiKey]:
        return ApiKey.objects.filter(user_id=cast(int, self.request.user.pk))


class ApiKeyList(UserKeys, generics.ListAPIView[ApiKey]):
    """The caller's keys, newest first, revoked ones included."""

    @extend_schema(request=NewApiKeySerializer, responses={201: IssuedApiKeySerializer})
    def post(self, request: Request) -> Response:
        """Create a key. This answer shows it, and no other ever will."""
        new = NewApiKeySerializer(data=request.data)
        new.is_valid(raise_exception=True)
        key, token = ApiKey.issue(
            user=cast(User, request.user),
            name=new.validated_data["name"],
            expires_at=new.validated_data.get("expires_at"),
        )
        body: dict[str, Any] = {**ApiKeySerializer(key).data, "key": token.text}
        return Response(body, status=201)


class ApiKeyDetail(UserKeys, generics.RetrieveAPIView[ApiKey]):
    """One of the caller's keys."""

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Revoke. The row stays, for the record; a second call changes nothing."""
        self.get_object().revoke()
        return Response(status=204)
