"""The keys in mailed links: signed, ending, and good once. None is stored."""

from __future__ import annotations

from django.contrib.auth.tokens import default_token_generator
from django.core import signing
from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.http import base36_to_int, int_to_base36

from apps.users.models import User

# Seconds: three days, allauth's default. Reset keys end with PASSWORD_RESET_TIMEOUT.
VERIFICATION_AGE = 3 * 86_400
_SALT = "apps.users.verification"


class InvalidKeyError(Exception):
    """The key is wrong, used, too old, or older than a later one."""


def verification_key(user: User) -> str:
    """Confirms the address together with the password that stands now, and no other."""
    return signing.dumps([user.pk, _fingerprint(user)], salt=_SALT)


def holder_of_verification_key(key: str) -> User:
    """The account, locked in the caller's transaction. Raises `InvalidKeyError`.

    That the key is used once is up to the caller: an address is confirmed once.
    """
    try:
        pk, fingerprint = signing.loads(key, salt=_SALT, max_age=VERIFICATION_AGE)
    except signing.BadSignature:
        raise InvalidKeyError from None
    user = _locked(pk)
    if not constant_time_compare(fingerprint, _fingerprint(user)):
        raise InvalidKeyError
    return user


def reset_key(user: User) -> str:
    """Lets its bearer set a password, until the password, the address or the last login changes."""
    return f"{int_to_base36(user.pk)}-{default_token_generator.make_token(user)}"


@transaction.atomic
def holder_of_reset_key(key: str) -> User:
    """The account, locked in the caller's transaction if there is one. Raises `InvalidKeyError`."""
    identity, _, token = key.partition("-")
    try:
        pk = base36_to_int(identity)
    except ValueError:
        raise InvalidKeyError from None
    user = _locked(pk)
    if not default_token_generator.check_token(user, token):
        raise InvalidKeyError
    return user


def _locked(pk: int) -> User:
    # Of two parallel uses of a key, the second sees what the first has done.
    user = User.objects.select_for_update().filter(pk=pk, is_active=True).first()
    if user is None:
        raise InvalidKeyError
    return user


def _fingerprint(user: User) -> str:
    return salted_hmac(_SALT, user.password, algorithm="sha256").hexdigest()[:32]
