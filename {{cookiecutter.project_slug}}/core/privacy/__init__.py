"""What each column of each table says of a person, declared before it is in use.

An app with models has a `privacy.py` with

    PRIVACY = {
        "users.User": {EMAIL: "email", NAME: "name", SECRET: "password", PUBLIC: "is_active"},
        "sessions.Session": EMPTIED,
    }

The framework's and the libraries' stand in config/settings/components/privacy.py. Keys and
relations need no word: they are numbers, and what they point at is masked. A column without a word
is an error of `manage.py check`, and so of CI: the one who adds it knows best what will be in it.

Weighed: django-scrubber keeps what nobody declared, and masks row by row in Python;
postgresql-anonymizer is an extension that a managed server must offer, with rules in a catalogue
that no test of ours reads; greenmask is a program in Go with a configuration that knows no models.
All three mask what they are told and say nothing of the column that was added yesterday.
"""

from __future__ import annotations

from core.privacy.kinds import (
    CLEARED,
    EMAIL,
    EMPTIED,
    NAME,
    PUBLIC,
    SECRET,
    TEXT,
    TOKEN,
    Declaration,
    Kind,
)

__all__ = [
    "CLEARED",
    "EMAIL",
    "EMPTIED",
    "NAME",
    "PUBLIC",
    "SECRET",
    "TEXT",
    "TOKEN",
    "Declaration",
    "Kind",
]
