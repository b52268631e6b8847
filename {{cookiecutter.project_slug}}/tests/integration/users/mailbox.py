"""A browser whose mails arrive, and the keys in them."""

from __future__ import annotations

import re
from typing import Any

from django.core import mail
from django.test import Client, TestCase
from django.utils.http import urlencode

URL = "/api/v1/"
JSON = "application/json"
NEW_PASSWORD = "a quite different passphrase"


class Browser(Client):
    """Calls the API from an address of its own; what a call sends on commit is sent."""

    def __init__(self, address: str = "192.0.2.1", **options: Any) -> None:
        super().__init__(REMOTE_ADDR=address, **options)

    def call(self, path: str, method: str = "post", **sent: Any) -> Any:
        with TestCase.captureOnCommitCallbacks(execute=True):
            return getattr(self, method)(URL + path, sent or None, JSON)

    def log_in(self, email: str, password: str, **more: Any) -> Any:
        return self.call("session/", email=email, password=password, **more)

    def user(self) -> Any:
        return self.get(URL + "session/").json()["user"]


def key_for(email: str) -> str:
    """The key in the latest mail to an address."""
    body = next(message.body for message in reversed(mail.outbox) if message.to == [email])
    found = re.search(r"\?key=(\S+)", body)
    assert found, body
    return found[1].replace("%3A", ":")


def subjects(email: str) -> list[str]:
    return [m.subject.partition(": ")[2] for m in mail.outbox if m.to == [email]]


def page(path: str, key: str) -> str:
    return f"/accounts/{path}/?{urlencode({'key': key})}"
