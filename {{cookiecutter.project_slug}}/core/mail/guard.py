"""The mailer of every environment that is not production: it sends to allowed domains alone.

Weighed: django-email-bandit and django-mail-safe, last released for versions of Django without
MAILERS, which send what they hold back to an administrator: a copy of production then fills a
mailbox. A mail catcher in place of the SMTP server guards until somebody sets another EMAIL_URL.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from email.headerregistry import AddressHeader
from typing import Any

import structlog
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage
from django.utils.module_loading import import_string

logger = structlog.get_logger("core.mail")

# Recipients of this process that were held back, by domain.
held: Counter[str] = Counter()


def guarded(mailer: Mapping[str, Any], domains: Sequence[str]) -> dict[str, Any]:
    """An entry of MAILERS that sends by `mailer`, to addresses of `domains` (each exactly)."""
    return {
        "BACKEND": "core.mail.guard.GuardedBackend",
        "OPTIONS": {"mailer": dict(mailer), "domains": list(domains)},
    }


class GuardedBackend(BaseEmailBackend):
    """Takes every other recipient off the envelope; a message without any left is not sent.

    What is held back is logged by its domain, never by its address, and counted in `held`. For the
    caller it was sent: code must not behave otherwise than in production.
    """

    def __init__(
        self, *, mailer: Mapping[str, Any], domains: Iterable[str], **options: Any
    ) -> None:
        super().__init__(**options)
        self._domains = frozenset(domain.lower() for domain in domains)
        backend = import_string(mailer["BACKEND"])
        self._mailer = backend(**{**options, **mailer.get("OPTIONS", {})})

    def open(self) -> bool | None:
        opened: bool | None = self._mailer.open()
        return opened

    def close(self) -> None:
        self._mailer.close()

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """How many were sent or held back. Raises what the mailer raises."""
        allowed = [self._allowed(message) for message in email_messages]
        sending = [message for message in allowed if message.recipients()]
        sent = self._mailer.send_messages(sending) or 0 if sending else 0
        return sent + len(email_messages) - len(sending)

    def _allowed(self, message: EmailMessage) -> EmailMessage:
        # The caller's message stays whole: it may be sent again, or shown.
        message = copy.copy(message)
        back: Counter[str] = Counter()
        for name in ("to", "cc", "bcc"):
            kept = []
            for address in getattr(message, name):
                domain = _domain(address)
                if domain in self._domains:
                    kept.append(address)
                else:
                    back[domain] += 1
            setattr(message, name, kept)
        if back:
            held.update(back)
            logger.warning("mail held back", recipients=back.total(), domains=sorted(back))
        return message


def _domain(address: object) -> str:
    """Of the one mailbox that the SMTP backend would send to; "" for what is not exactly one."""
    parsed = AddressHeader.value_parser(str(address))
    # A defect is read otherwise by each parser, and an SMTP server has one of its own.
    if len(parsed.all_mailboxes) != 1 or parsed.all_defects:
        return ""
    return (parsed.all_mailboxes[0].domain or "").lower()
