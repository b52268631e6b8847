"""The one place where a password is accepted: counted, and followed by the second factor.

Whatever calls Django's `authenticate` comes through here: the API, the admin and what is added
tomorrow. Weighed: decorating each login view, of which one would be forgotten.
"""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from rest_framework.exceptions import APIException

from apps.users import second_factor
from apps.users.guards import CodeAttempt, LoginAttempt
from apps.users.models import User


class SecondFactorRequired(APIException):
    """The password is right; ask for a code and send all of them again."""

    status_code = 403
    default_detail = _("The password is right: send it again with `code`, of your second factor.")
    default_code = "second_factor_required"


class SecondFactorInvalid(APIException):
    """The password is right, the code is not."""

    status_code = 403
    default_detail = _("The code is wrong, used or too old.")
    default_code = "second_factor_invalid"


class Backend(ModelBackend):
    """Django's, behind the counters of `guards`.

    `authenticate` raises `LockedOut`, `SecondFactorRequired` or `SecondFactorInvalid`, the last two
    only to somebody who gave the right password.
    """

    @sensitive_variables("password", "code")
    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        code: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        username = username or kwargs.pop("email", None)
        if username is None or password is None:
            return None
        attempt = LoginAttempt(request, username)
        user = super().authenticate(request, username=username, password=password)
        # An address that waits for its confirmation looks like a wrong password. Said aloud it
        # would tell whoever signed up for it, with a password of their own, that it had no account.
        # Not in `user_can_authenticate`, which Django asks again for every request of a session.
        if not isinstance(user, User) or user.waits_for_confirmation():
            return None
        attempt.password_was_right()
        if factor := second_factor.of(user):
            if not code:
                raise SecondFactorRequired
            counted = CodeAttempt(request, user)
            if not factor.accepts(code):
                raise SecondFactorInvalid
            counted.was_right()
            user.accepted_factor = factor.pk
        attempt.is_complete()
        return user

    @sensitive_variables()
    async def aauthenticate(  # type: ignore[override]
        self, request: HttpRequest | None, **credentials: Any
    ) -> User | None:
        """Django's own is a second implementation, which would go round all of this."""
        return await sync_to_async(self.authenticate)(request, **credentials)
