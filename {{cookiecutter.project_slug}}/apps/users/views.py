"""Logging in and out by session cookie."""

from __future__ import annotations

from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.models import AnonymousUser
from django.middleware.csrf import get_token
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.users.models import User
from apps.users.serializers import LoginSerializer, SessionSerializer


# DRF asks for the CSRF token only once a user is known. Without it here, another site could log a
# visitor in to an account of its own and read what is typed there.
@method_decorator([never_cache, csrf_protect], name="dispatch")
class SessionView(APIView):
    """The session of the caller."""

    permission_classes = [AllowAny]

    @extend_schema(operation_id="session_read", responses=SessionSerializer)
    def get(self, request: Request) -> Response:
        """Who is logged in. Sets the CSRF cookie."""
        return _session(request, request.user)

    @extend_schema(
        operation_id="session_start", request=LoginSerializer, responses=SessionSerializer
    )
    def post(self, request: Request) -> Response:
        """Log in. The session gets a new key, so that one planted before is worth nothing."""
        credentials = LoginSerializer(data=request.data)
        credentials.is_valid(raise_exception=True)
        user = authenticate(
            request._request,
            username=credentials.validated_data["email"],
            password=credentials.validated_data["password"],
        )
        if user is None:
            # One answer for an unknown address, a wrong password and a closed account.
            raise AuthenticationFailed("The e-mail address or the password is wrong.")
        login(request._request, user)
        return _session(request, user)

    @extend_schema(operation_id="session_end", responses={204: None})
    def delete(self, request: Request) -> Response:
        """Log out. Doing it twice is fine."""
        logout(request._request)
        return Response(status=204)


def _session(request: Request, user: User | AnonymousUser) -> Response:
    known = user if user.is_authenticated else None
    token = get_token(request._request)
    return Response(SessionSerializer({"user": known, "csrf_token": token}).data)
