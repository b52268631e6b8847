"""`request.user`, from a session whose copy is believed only as far as the user's row allows."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib.auth import get_user_model, middleware
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from core.middleware import Answer, AsyncAnswer, Middleware
from core.sessions.models import SessionOwner


class AuthenticationMiddleware(Middleware, middleware.AuthenticationMiddleware):  # type: ignore[misc]
    """Django's, with one comparison more. Derived from it, because the admin's checks look for it.

    Raises `ImproperlyConfigured` at start when the user model has no mark to compare with.
    """

    def __init__(self, get_response: Answer | AsyncAnswer) -> None:
        super().__init__(get_response)
        if not issubclass(get_user_model(), SessionOwner):
            raise ImproperlyConfigured("The user model must derive from SessionOwner.")

    def before(self, request: HttpRequest) -> None:
        request.user = SimpleLazyObject(partial(_user, request))  # type: ignore[assignment]
        request.auser = partial(_auser, request)


def _user(request: Any) -> Any:
    user = middleware.get_user(request)
    if _is_in_doubt(request, user):
        request.session.confirm()
        del request._cached_user
        user = middleware.get_user(request)
    return user


async def _auser(request: Any) -> Any:
    user = await middleware.auser(request)
    if _is_in_doubt(request, user):
        await request.session.aconfirm()
        del request._acached_user
        user = await middleware.auser(request)
    return user


def _is_in_doubt(request: Any, user: Any) -> bool:
    return isinstance(user, SessionOwner) and user.distrusts(request.session.copied_at)
