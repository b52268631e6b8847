"""What may be tried how often."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.crypto import salted_hmac


@dataclass(frozen=True, slots=True)
class Key:
    """One counter: a limit, applied to somebody."""

    limit: Limit
    text: str


@dataclass(frozen=True, slots=True)
class Limit:
    """`attempts` within `seconds`; the last of them starts a lock of another `seconds`.

    A lock ends by itself: what is refused meanwhile is not counted and does not prolong it.
    """

    name: str
    attempts: int
    seconds: int

    def of(self, *parts: str) -> Key:
        """The counter of an account, of an address, or of both; parts are digested."""
        return Key(self, ":".join((self.name, *map(_digest, parts))))


def _digest(part: str) -> str:
    # 128 bits, keyed: whoever reads the table cannot try addresses against it.
    data = part.encode("utf-8", "surrogatepass")
    return salted_hmac("core.lockout", data, algorithm="sha256").hexdigest()[:32]
