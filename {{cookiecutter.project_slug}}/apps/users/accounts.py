"""Sign-up, confirmation of the address, and passwords: what the API and the mailed pages share.

Over Django's tokens and allauth's table of addresses, as functions of our own. Weighed:
`allauth.headless`, whose answers are of another shape than every other one here and outside of our
OpenAPI document, whose sign-up hashes the password of an unknown address only (so that time tells
who has an account), and whose limits count in the cache. The table stays allauth's, so that a
social login can be added beside it.

Who asks for a mail learns nothing: whether there is an account is looked up by the task that sends
it. Raises `django.core.exceptions.ValidationError` for a password that the validators refuse.
"""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.db import transaction

from apps.users import guards, keys, tasks
from apps.users.keys import InvalidKeyError
from apps.users.models import User


def sign_up(email: str, password: str, name: str) -> None:
    """Create an account that waits for its confirmation, or tell the owner of the one there is.

    Of two claims to an address that still waits, nobody but its mailbox knows which is the owner's:
    no password of either stays, no earlier key works, and the mail lets its reader choose one.
    """
    hashed = make_password(password)  # in every case: the hash is what takes time
    with transaction.atomic():
        user, is_new = User.objects.select_for_update().get_or_create(
            email=email, defaults={"name": name, "password": hashed}
        )
        if is_new:
            EmailAddress.objects.create(user=user, email=email, primary=True, verified=False)
        elif user.waits_for_confirmation():
            user.set_unusable_password()
            user.name = ""
            user.save(update_fields=["password", "name"])
            tasks.send_password_reset.delay(email)
            return
        else:
            tasks.send_already_known.delay(user.pk)
            return
        tasks.send_verification.delay(email)


def verify(key: str) -> None:
    """Confirm an address, once. Raises `InvalidKeyError`."""
    with transaction.atomic():
        if not _confirm(keys.holder_of_verification_key(key)):
            raise InvalidKeyError


def reset_password(key: str, password: str) -> None:
    """Set a password; every session of the account ends. Raises `InvalidKeyError`.

    Whoever has the key reads the mailbox, so the address is confirmed by it too. A second factor
    is still asked for at the next login.
    """
    with transaction.atomic():
        user = keys.holder_of_reset_key(key)
        validate_password(password, user)
        _set_password(user, password)
        _confirm(user)
    guards.unlock_password(user)


def change_password(user: User, password: str) -> None:
    """Set a password; every session ends but the one that `update_session_auth_hash` renews."""
    validate_password(password, user)
    with transaction.atomic():
        _set_password(user, password)


def _set_password(user: User, password: str) -> None:
    user.set_password(password)
    user.save(update_fields=["password"])
    tasks.send_password_changed.delay(user.pk)


def _confirm(user: User) -> bool:
    # A row of somebody else is what an operator left who changed an account's address.
    EmailAddress.objects.filter(email=user.email).exclude(user=user).delete()
    waiting = EmailAddress.objects.filter(user=user, email=user.email, verified=False)
    return bool(waiting.update(verified=True))
