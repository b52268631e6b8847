"""What a key looks like, and what of it is kept.

    srvkey_a1B2c3D4e5F6.<43 characters of secret><6 characters of checksum>

The first word is what secret scanners search repositories for, and the checksum spares them (and
the database) everything that only looks like a key; GitHub's tokens are built so. Base 62, so that
a double click takes a half and nothing needs quoting.

Of the secret SHA-256 is kept. Argon2 is slow because people choose guessable passwords: 256 random
bits cannot be guessed at any speed, so a slow hash would protect nothing and cost every call.
"""

from __future__ import annotations

import re
import secrets
import string
from dataclasses import dataclass, field
from hashlib import sha256
from zlib import crc32

MARKER = "srvkey"
_ALPHABET = string.digits + string.ascii_letters
PREFIX_LENGTH = 12  # characters, 71 bits: unique without asking the database
SECRET_LENGTH = 43  # characters, 256 bits
CHECKSUM_LENGTH = 6  # characters, the 32 bits of a CRC
# For the rules of a secret scanner, too.
PATTERN = MARKER + r"_[0-9A-Za-z]{12}\.[0-9A-Za-z]{49}"
_TOKEN = re.compile(PATTERN, re.ASCII)


@dataclass(frozen=True, slots=True)
class Token:
    """A key: `prefix` is public and finds the row; `secret` is never written or logged."""

    prefix: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        """What the client sends."""
        head = f"{self.prefix}.{self.secret}"
        return head + _checksum(head)

    @property
    def digest(self) -> str:
        """What is kept of the secret: SHA-256, 64 hexadecimal digits."""
        return sha256(self.secret.encode("ascii")).hexdigest()


def new_token() -> Token:
    """A random one."""
    return Token(f"{MARKER}_{_random(PREFIX_LENGTH)}", _random(SECRET_LENGTH))


def parse_token(text: str) -> Token | None:
    """The key that `text` is; None for anything else, a mistyped one included."""
    if not _TOKEN.fullmatch(text):
        return None
    prefix, rest = text.split(".")
    token = Token(prefix, rest[:SECRET_LENGTH])
    return token if token.text == text else None


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(text: str) -> str:
    number, letters = crc32(text.encode("ascii")), ""
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        letters += _ALPHABET[digit]
    return letters
