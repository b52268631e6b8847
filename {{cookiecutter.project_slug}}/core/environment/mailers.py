"""`smtp://…` as one entry of Django's MAILERS.

django-environ's `email_url` returns the EMAIL_* settings that Django 6.1 deprecates and refuses
beside MAILERS.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from core.environment.parsers import split_url

# Seconds; a mail server that does not answer must not hold a worker for the task's whole limit.
_TIMEOUT = 10
_BACKENDS = "django.core.mail.backends."


def mailer_url(value: str) -> dict[str, Any]:
    """Parse an e-mail URL. Raises `ValueError` without quoting it.

    `smtp://` is plain (a relay on the same host), `smtp+tls://` upgrades by STARTTLS, `smtps://` is
    TLS from the first byte; `console://` prints, `memory://` keeps messages for tests.
    """
    parts = split_url(value)
    if parts.scheme == "console":
        return {"BACKEND": _BACKENDS + "console.EmailBackend"}
    if parts.scheme == "memory":
        return {"BACKEND": _BACKENDS + "locmem.EmailBackend"}
    if parts.scheme not in ("smtp", "smtps", "smtp+tls"):
        raise ValueError("does not start with smtp://, smtp+tls://, smtps:// or console://.")
    if not parts.hostname:
        raise ValueError("names no host.")
    default_port = {"smtp": 25, "smtp+tls": 587, "smtps": 465}[parts.scheme]
    return {
        "BACKEND": _BACKENDS + "smtp.EmailBackend",
        "OPTIONS": {
            "host": parts.hostname,
            "port": parts.port or default_port,
            "username": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "use_tls": parts.scheme == "smtp+tls",
            "use_ssl": parts.scheme == "smtps",
            "timeout": _TIMEOUT,
        },
    }


mailer_url.kind = "URL: smtp://, smtp+tls://, smtps:// or console://"  # type: ignore[attr-defined]
