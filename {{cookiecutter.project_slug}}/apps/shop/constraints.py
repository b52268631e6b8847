"""Which rule of the database a statement broke."""

from __future__ import annotations

from django.db import IntegrityError


def broken_constraint(error: IntegrityError) -> str:
    """The name of the constraint that PostgreSQL refused a row by; "" where it names none.

    Not by the message: its words are in the server's language.
    """
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "constraint_name", None) or ""
