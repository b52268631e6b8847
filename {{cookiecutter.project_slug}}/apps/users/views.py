"""Logging in and out by session cookie, and everything about one's own account."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError as DjangoValidationError
from django.middleware.csrf import get_token
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import AuthenticationFailed, ValidationError
from rest_framework.fields import get_error_detail
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from apps.users import accounts, guards, tasks
from apps.users.keys import InvalidKeyError
from apps.users.models import User
from apps.users.serializers import (
    AddressSerializer,
    KeySerializer,
    LoginSerializer,
    PasswordChangeSerializer,
    PasswordResetSerializer,
    SessionSerializer,
    SignUpSerializer,
)
from core.lockout import guard

if TYPE_CHECKING:
    from celery import Task


# DRF asks for the CSRF token only once a user is known. Without it here, another site could log a
# visitor in to an account of its own and read what is typed there.
@method_decorator([never_cache, csrf_protect], name="dispatch")
class AccountView(APIView):
    """A view of somebody's own account; open to everybody, by JSON and CSRF token."""

    permission_classes = [AllowAny]


class SessionView(AccountView):
    """The session of the caller."""

    @extend_schema(operation_id="session_read", responses=SessionSerializer)
    def get(self, request: Request) -> Response:
        """Who is logged in. Sets the CSRF cookie."""
        return _session(request, request.user)

    @extend_schema(
        operation_id="session_start", request=LoginSerializer, responses=SessionSerializer
    )
    def post(self, request: Request) -> Response:
        """Log in. The session gets a new key, so that one planted before is worth nothing."""
        sent = _valid(LoginSerializer, request)
        user = authenticate(
            request._request,
            username=sent["email"],
            password=sent["password"],
            code=sent.get("code"),
        )
        if user is None:
            # One answer for an unknown address, one that is not confirmed, a wrong password and a
            # closed account.
            raise AuthenticationFailed(
                _(
                    "The e-mail address or the password is wrong, "
                    "or the address is not confirmed yet."
                )
            )
        login(request._request, user)
        return _session(request, user)

    @extend_schema(operation_id="session_end", responses={204: None})
    def delete(self, request: Request) -> Response:
        """Log out. Doing it twice is fine."""
        logout(request._request)
        return Response(status=204)


class SignUpView(AccountView):
    """New accounts."""

    @extend_schema(operation_id="sign_up", request=SignUpSerializer, responses={202: None})
    def post(self, request: Request) -> Response:
        """Sign up. The same answer for every address: what happened is in the mail to it."""
        sent = _valid(SignUpSerializer, request)
        guards.mail(request._request, sent["email"])
        accounts.sign_up(sent["email"], sent["password"], sent["name"])
        return Response(status=202)


class VerificationView(AccountView):
    """The confirmation of an address."""

    @extend_schema(operation_id="address_verify", request=KeySerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        """Confirm an address with the key of the mailed link."""
        sent = _valid(KeySerializer, request)
        with _mailed_key(request):
            accounts.verify(sent["key"])
        return Response(status=204)


class VerificationMailView(AccountView):
    """The mail that confirms an address."""

    @extend_schema(operation_id="address_mail", request=AddressSerializer, responses={202: None})
    def post(self, request: Request) -> Response:
        """Send the mail again if the address waits for it; the answer is always the same."""
        return _mail(request, tasks.send_verification)


class PasswordResetMailView(AccountView):
    """The mail to somebody who forgot the password."""

    @extend_schema(operation_id="password_mail", request=AddressSerializer, responses={202: None})
    def post(self, request: Request) -> Response:
        """Send a link that sets a new password, if there is an account; the answer is the same."""
        return _mail(request, tasks.send_password_reset)


class PasswordResetView(AccountView):
    """A new password for somebody who forgot the old one."""

    @extend_schema(
        operation_id="password_reset", request=PasswordResetSerializer, responses={204: None}
    )
    def post(self, request: Request) -> Response:
        """Set a password with the key of the mailed link. Ends every session of the account."""
        sent = _valid(PasswordResetSerializer, request)
        with _mailed_key(request), _validated("password"):
            accounts.reset_password(sent["key"], sent["password"])
        return Response(status=204)


class PasswordView(AccountView):
    """The password of the caller."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="password_change", request=PasswordChangeSerializer, responses={204: None}
    )
    def post(self, request: Request) -> Response:
        """Change it. Ends every other session of the account; this one gets a new key."""
        sent = _valid(PasswordChangeSerializer, request)
        user = cast("User", request.user)
        key = guards.password_of_session(user)
        guard.count(key)
        if not user.check_password(sent["current_password"]):
            raise ValidationError({"current_password": [_("The password is wrong.")]}, code="wrong")
        guard.forget(key)
        with _validated("new_password"):
            accounts.change_password(user, sent["new_password"])
        update_session_auth_hash(request._request, user)
        return Response(status=204)


def _valid(serializer: type[Serializer[dict[str, str]]], request: Request) -> dict[str, str]:
    bound = serializer(data=request.data)
    bound.is_valid(raise_exception=True)
    return dict(bound.validated_data)


def _mail(request: Request, send: Task[[str], None]) -> Response:
    sent = _valid(AddressSerializer, request)
    guards.mail(request._request, sent["email"])
    send.delay(sent["email"])
    return Response(status=202)


@contextmanager
def _mailed_key(request: Request) -> Iterator[None]:
    attempt = guards.mailed_key(request._request)
    try:
        yield
    except InvalidKeyError:
        detail = _("The link is wrong, was used, or is too old: ask for another one.")
        raise ValidationError({"key": [detail]}, code="invalid_key") from None
    attempt.give_back()


@contextmanager
def _validated(field: str) -> Iterator[None]:
    try:
        yield
    except DjangoValidationError as error:
        raise ValidationError({field: get_error_detail(error)}) from None


def _session(request: Request, user: User | AnonymousUser) -> Response:
    known = user if user.is_authenticated else None
    token = get_token(request._request)
    return Response(SessionSerializer({"user": known, "csrf_token": token}).data)
