"""`Authorization: Bearer <key>`, beside the session."""

from __future__ import annotations

from secrets import compare_digest

from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from apps.api_keys.models import ApiKey
from apps.api_keys.tokens import parse_token
from apps.users.models import User

SCHEME = "Bearer"


class ApiKeyAuthentication(BaseAuthentication):
    """The user of a key; `request.auth` is the key.

    Raises `AuthenticationFailed` (401) for a key that is malformed, unknown, revoked or expired, or
    whose user is not active, all alike. A view that lets everybody in refuses a wrong key as well:
    its caller believes to be somebody. Only a view without authentication classes, whose answer a
    cache in front gives without looking, ignores it. Other schemes are left to other classes.
    """

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        """None when no key was sent."""
        scheme, text = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")[::2]
        if scheme.lower() != SCHEME.lower():
            return None
        token = parse_token(text.strip())
        key = None
        if token is not None:
            key = ApiKey.objects.select_related("user").filter(prefix=token.prefix).first()
        if (
            token is None
            or key is None
            or not compare_digest(key.digest, token.digest)
            or not key.is_valid
        ):
            raise AuthenticationFailed(_("The API key is not valid."), code="invalid_api_key")
        key.note_use()
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        """WWW-Authenticate of a 401, as RFC 6750 has it."""
        sent = request.META.get("HTTP_AUTHORIZATION", "").lower().startswith(SCHEME.lower())
        return f'{SCHEME} error="invalid_token"' if sent else SCHEME
