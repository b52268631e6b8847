"""The second factor: codes of an authenticator app (TOTP, RFC 6238) and recovery codes.

Tables, codes and pictures are allauth.mfa's, so that passkeys can be added by its settings. Ours is
what it leaves to the cache: it remembers used codes there, so with the cache away no code would be
accepted, and after a flush one would be accepted twice. Weighed: django-otp keeps secrets in plain
text and needs tables and an admin site of its own.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

import structlog
from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import DefaultMFAAdapter, get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.utils import timezone

from apps.users.models import User

logger = structlog.get_logger(__name__)

_SESSION = "second_factor"
_PENDING = "second_factor_secret"


class Adapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Secrets are encrypted with SECRET_KEY: a copy of the database makes no codes.

    After a rotation the keys of SECRET_KEY_FALLBACKS still decrypt, and each use encrypts anew.
    """

    def encrypt(self, text: str) -> str:
        return _fernet().encrypt(text.encode()).decode("ascii")

    def decrypt(self, encrypted_text: str) -> str:
        return _fernet().decrypt(encrypted_text.encode("ascii")).decode()

    def build_totp_svg(self, url: str) -> str:
        """On white: allauth's is black on the page's ground, which the admin's dark theme hides."""
        # On first use: it imports Pillow, 7 MB that no other request of a web process needs.
        import qrcode
        from qrcode.image.svg import SvgPathFillImage

        image = qrcode.make(url, image_factory=SvgPathFillImage)
        return str(image.to_string(encoding="unicode"))


def _fernet() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = [hashlib.sha256(b"apps.users.second_factor" + key.encode()).digest() for key in keys]
    return MultiFernet([Fernet(urlsafe_b64encode(digest)) for digest in digests])


@dataclass(frozen=True, slots=True)
class Factor:
    """What somebody has enrolled."""

    pk: int
    user_id: int

    def accepts(self, code: str) -> bool:
        """Whether the code is right and was never used; it is used up by that."""
        return self._accepts_totp(code) or self._accepts_recovery_code(code)

    @transaction.atomic
    def _accepts_totp(self, code: str) -> bool:
        # The lock lets one of two parallel logins with the same code through.
        row = Authenticator.objects.select_for_update().filter(pk=self.pk).first()
        if row is None:
            return False
        try:
            secret = get_adapter().decrypt(row.data["secret"])
        except InvalidToken:
            logger.exception("second factor cannot be decrypted", user_id=self.user_id)
            return False
        step = _matching_step(secret, code, after=row.data.get("last_step", 0))
        if step is None:
            return False
        row.data = {"secret": get_adapter().encrypt(secret), "last_step": step}
        row.last_used_at = timezone.now()
        row.save(update_fields=["data", "last_used_at"])
        self._encrypt_recovery_codes_anew()
        return True

    def _encrypt_recovery_codes_anew(self) -> None:
        kind = Authenticator.Type.RECOVERY_CODES
        codes = Authenticator.objects.select_for_update().filter(user_id=self.user_id, type=kind)
        for row in codes:
            try:
                seed = get_adapter().decrypt(row.data["seed"])
            except InvalidToken:
                logger.exception("recovery codes cannot be decrypted", user_id=self.user_id)
                continue
            row.data["seed"] = get_adapter().encrypt(seed)
            row.save(update_fields=["data"])

    def _accepts_recovery_code(self, code: str) -> bool:
        kind = Authenticator.Type.RECOVERY_CODES
        row = Authenticator.objects.filter(user_id=self.user_id, type=kind).first()
        try:
            return row is not None and bool(RecoveryCodes(row).validate_code(code))
        except InvalidToken:
            logger.exception("recovery codes cannot be decrypted", user_id=self.user_id)
            return False

    def new_recovery_codes(self) -> list[str]:
        """Replace the recovery codes; shown once, here."""
        with transaction.atomic():
            kind = Authenticator.Type.RECOVERY_CODES
            Authenticator.objects.filter(user_id=self.user_id, type=kind).delete()
            codes = RecoveryCodes.activate(User.objects.get(pk=self.user_id))
        return list(codes.generate_codes())


def of(user: User) -> Factor | None:
    """The user's second factor, if there is one."""
    pk = (
        Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.TOTP)
        .values_list("pk", flat=True)
        .first()
    )
    return None if pk is None else Factor(pk, user.pk)


def reset(user: User) -> int:
    """Remove all factors; the next login to the admin enrols anew. Returns how many."""
    deleted, _ = Authenticator.objects.filter(user_id=user.pk).delete()
    return int(deleted)


def mark(session: SessionBase, pk: int) -> None:
    """Note in the session that its login used this factor."""
    session[_SESSION] = pk


def is_marked(session: SessionBase, user: User) -> bool:
    """Whether the session's login used the factor that the user has now."""
    factor = of(user)
    return factor is not None and session.get(_SESSION) == factor.pk


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A secret that waits for its first code, in the session of its owner."""

    secret: str
    qr_code: str
    """A picture as a data: URL, which our policy lets in without any inline style."""

    @classmethod
    def begin(cls, session: SessionBase, user: User) -> Enrolment:
        """The secret of this session, or a new one."""
        secret = session.get(_PENDING) or totp.generate_totp_secret()
        session[_PENDING] = secret
        adapter = get_adapter()
        picture = adapter.build_totp_svg(adapter.build_totp_url(user, secret))
        return cls(secret, "data:image/svg+xml;base64," + b64encode(picture.encode()).decode())

    def finish(self, session: SessionBase, user: User, code: str) -> Factor | None:
        """Enrol when the code is one of the secret; None otherwise.

        Raises `IntegrityError` when another session of the same user was faster.
        """
        step = _matching_step(self.secret, code, after=0)
        if step is None:
            return None
        with transaction.atomic():
            row = totp.TOTP.activate(user, self.secret).instance
            row.data["last_step"] = step
            row.save(update_fields=["data"])
        session.pop(_PENDING, None)
        # A copy of the cookie from before stays a session without the second factor.
        session.cycle_key()
        mark(session, row.pk)
        return Factor(row.pk, user.pk)


def _matching_step(secret: str, code: str, *, after: int) -> int | None:
    """The step of 30 s whose code this is; none up to `after`: one is good once (RFC 6238, 5.2)."""
    for step in totp.yield_hotp_counters_from_time():
        expected: Any = totp.format_hotp_value(totp.hotp_value(secret, step))
        if step > after and compare_user_code(actual=code, expected=expected):
            return int(step)
    return None
