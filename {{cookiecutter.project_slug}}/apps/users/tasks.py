"""The mails of accounts.

Whether there is an account is looked up here and not in the request, whose time would tell. No text
that a stranger typed is repeated, or our sign-up would mail it to anybody. Keys are made here as
well: none waits in the broker.
"""

from __future__ import annotations

from typing import Any

import structlog
from celery import shared_task
from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from apps.users import keys
from apps.users.models import User

logger = structlog.get_logger(__name__)


@shared_task(queue="high")
def send_verification(email: str) -> None:
    """The link that confirms an address that waits; after two claims, by a new password."""
    user = User.objects.filter(email=email, is_active=True).first()
    if user and user.waits_for_confirmation() and not user.has_usable_password():
        send_password_reset(email)
    elif user and user.waits_for_confirmation():
        url = _link("users-verification", key=keys.verification_key(user))
        _send(
            user,
            "verification",
            _("Confirm your e-mail address"),
            url=url,
            days=keys.VERIFICATION_AGE // 86_400,
        )


@shared_task(queue="high")
def send_already_known(user_id: int) -> None:
    """To the owner of an address for which somebody signed up again."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user:
        _send(
            user, "already_known", _("You have an account already"), origin=settings.ACCOUNT_ORIGIN
        )


@shared_task(queue="high")
def send_password_reset(email: str) -> None:
    """The link that lets the owner of an account choose a password.

    Not where an operator turned the password off: a key would be a way round the other login. An
    address that waits for its confirmation has none after two claims to it.
    """
    user = User.objects.filter(email=email, is_active=True).first()
    if user and (user.has_usable_password() or user.waits_for_confirmation()):
        url = _link("users-password-reset", key=keys.reset_key(user))
        minutes = settings.PASSWORD_RESET_TIMEOUT // 60
        _send(user, "password_reset", _("Choose a new password"), url=url, minutes=minutes)


@shared_task(queue="high")
def send_password_changed(user_id: int) -> None:
    """So that an owner notices who did not do it."""
    user = User.objects.filter(pk=user_id).first()
    if user:
        _send(
            user, "password_changed", _("Your password was changed"), origin=settings.ACCOUNT_ORIGIN
        )


def _link(name: str, **query: str) -> str:
    # Never the request's host, which its sender chooses: a forged one would collect the keys.
    return f"{settings.ACCOUNT_ORIGIN}{reverse(name)}?{urlencode(query)}"


def _send(user: User, template: str, subject: str, **context: Any) -> None:
    send_mail(
        f"{settings.PROJECT_NAME}: {subject}",
        render_to_string(
            f"users/mail/{template}.txt", {"project": settings.PROJECT_NAME, **context}
        ),
        None,  # DEFAULT_FROM_EMAIL
        [user.email],
    )
    logger.info("account mail sent", mail=template, user_id=user.pk)
