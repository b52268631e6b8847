"""Outside production a real SMTP server receives what is for allowed domains, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.core.mail import EmailMessage

from core.mail import guard
from core.mail.guard import GuardedBackend, guarded
from scripts.servers import HOST, free_port
from tests.logged import logged
from tests.stack import BASE_DIR


class Mailbox:
    """A handler of aiosmtpd that keeps each envelope."""

    def __init__(self) -> None:
        self.envelopes: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.envelopes.append(envelope)
        return "250 OK"

    @property
    def recipients(self) -> list[list[str]]:
        return [envelope.rcpt_tos for envelope in self.envelopes]


@pytest.fixture
def smtp() -> Iterator[tuple[Mailbox, int]]:
    mailbox, port = Mailbox(), free_port()
    controller = Controller(mailbox, hostname=HOST, port=port, ready_timeout=30)
    controller.start()
    guard.held.clear()
    yield mailbox, port
    controller.stop()


def backend(port: int, *domains: str) -> GuardedBackend:
    mailer = {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": {"host": HOST, "port": port, "timeout": 10},
    }
    return GuardedBackend(alias="default", **guarded(mailer, domains)["OPTIONS"])


def message(*to: str, **more: Any) -> EmailMessage:
    return EmailMessage("Subject", "Body", "service@example.org", list(to), **more)


def test_an_allowed_domain_receives_and_another_is_held_back_logged_and_counted(
    smtp: tuple[Mailbox, int],
) -> None:
    mailbox, port = smtp
    with logged() as lines:
        sent = backend(port, "example.org").send_messages(
            [message("ada@example.org"), message("customer@real.example")]
        )
    assert mailbox.recipients == [["ada@example.org"]]
    assert sent == 2  # for the code that sends, all is as in production
    assert guard.held == {"real.example": 1}
    assert "mail held back" in lines.text
    assert "real.example" in lines.text
    assert "customer@" not in lines.text


def test_to_cc_and_bcc_are_looked_at_each_and_the_callers_message_stays_whole(
    smtp: tuple[Mailbox, int],
) -> None:
    mailbox, port = smtp
    given = message(
        "a@example.org",
        "b@real.example",
        cc=["c@real.example", "d@EXAMPLE.org"],
        bcc=["e@real.example", "f@example.org"],
    )
    backend(port, "example.org").send_messages([given])
    assert mailbox.recipients == [["a@example.org", "d@EXAMPLE.org", "f@example.org"]]
    assert b"real.example" not in mailbox.envelopes[0].content
    assert len(given.recipients()) == 6
    assert guard.held == {"real.example": 3}


@pytest.mark.parametrize(
    "address",
    [
        "a@sub.example.org",
        "a@example.org.real.example",
        "a@notexample.org",
        '"a@example.org" <a@real.example>',
        "a@example.org <a@real.example>",
        "a@example.org, b@real.example",
        '"x@example.org"@real.example',
        "a@real.example (a@example.org)",
        "nobody",
        "",
    ],
)
def test_an_address_that_only_looks_allowed_is_held_back(
    smtp: tuple[Mailbox, int], address: str
) -> None:
    mailbox, port = smtp
    backend(port, "example.org").send_messages([message(address)])
    assert mailbox.recipients == []


def test_without_a_domain_nothing_leaves_and_no_connection_is_opened() -> None:
    nobody_listens = free_port()
    assert backend(nobody_listens).send_messages([message("ada@example.org")]) == 1


@pytest.mark.parametrize(
    ("settings", "guards"),
    [("production", False), ("staging", True), ("development", True), ("test", True)],
)
def test_every_environment_but_production_is_guarded(
    production_variables: dict[str, str], settings: str, guards: bool
) -> None:
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "from django.conf import settings; print(settings.MAILERS['default']['BACKEND'])",
        ],
        cwd=BASE_DIR,
        env=production_variables | {"DJANGO_SETTINGS_MODULE": f"config.settings.{settings}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (told.stdout.strip() == "core.mail.guard.GuardedBackend") is guards


@pytest.fixture
def production_variables(servers: Any) -> dict[str, str]:
    from tests.server.conftest import production_environment

    urls = {name: servers.variables[name] for name in ("DATABASE_URL", "DATABASE_DIRECT_URL")}
    return production_environment(servers, urls) | {"EMAIL_URL": "smtp://127.0.0.1:25"}
