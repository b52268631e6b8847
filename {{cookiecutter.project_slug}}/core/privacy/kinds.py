"""What a column can be, and the shape of a declaration."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Kind(StrEnum):
    """What becomes of a value in a masked copy. NULL and empty values stay in all of them."""

    PUBLIC = "public"  # kept: it says nothing of a person, nor opens anything
    EMAIL = "email"  # an address of nobody, the same for the same address everywhere
    NAME = "name"  # what a person is called, or calls something
    TEXT = "text"  # whatever somebody wrote: as long, without a word of it
    TOKEN = "token"  # noqa: S105  # what is looked up by its value: another one, the same everywhere
    SECRET = "secret"  # noqa: S105  # a password: one that nobody has
    CLEARED = "cleared"  # gone


PUBLIC, EMAIL, NAME, TEXT = Kind.PUBLIC, Kind.EMAIL, Kind.NAME, Kind.TEXT
TOKEN, SECRET, CLEARED = Kind.TOKEN, Kind.SECRET, Kind.CLEARED
# A table without a row: what is in it is of use to its own environment only, or would act in
# another (a message that waits to be sent).
EMPTIED: None = None

# Names of fields by kind, or EMPTIED.
Declaration = Mapping[Kind, str] | None
