"""docs/operations/rotate-secrets.md, step by step, with users who must stay logged in."""

from __future__ import annotations

import secrets

from tests.factories import PASSWORD
from tests.server.browser import SESSION, Browser
from tests.server.conftest import StartRole
from tests.server.secrets.fleet import Fleet, fleet
from tests.server.watching import watching

OLD, NEW = secrets.token_urlsafe(48), secrets.token_urlsafe(48)


def keys(signs: str, *accepted: str) -> dict[str, str]:
    return {"SECRET_KEY": signs, "SECRET_KEY_FALLBACKS": ",".join(accepted)}


class User:
    """Asks the next process of `fleet` who they are, with one session."""

    def __init__(self, fleet: Fleet, email: str) -> None:
        self.fleet = fleet
        self.browser = Browser(fleet.next())
        self.browser.log_in(email, PASSWORD)

    def ask(self) -> str:
        self.browser.web = self.fleet.next()
        status, answer = self.browser.call("GET", SESSION)
        if status != 200:
            return str(status)
        return "logged in" if answer["user"] else "logged out"


def test_a_key_is_rotated_in_three_releases_with_nobody_logged_out_and_no_request_failed(
    start_role: StartRole, email: str
) -> None:
    with fleet(start_role, keys(OLD)) as running:
        user = User(running, email)
        with watching(user.ask) as seen:
            seen.wait_for_more()
            for step in (keys(OLD, NEW), keys(NEW, OLD), keys(NEW)):
                running.roll(step)
                seen.wait_for_more()
    assert set(seen.answers) == {"logged in"}


def test_a_key_that_is_rotated_in_one_release_logs_users_out(
    start_role: StartRole, email: str
) -> None:
    """Django writes the session's hash anew with the new key, which the old process has not."""
    with fleet(start_role, keys(OLD)) as running:
        user = User(running, email)
        running.replace(0, keys(NEW, OLD))
        answers = [user.ask() for _ in range(8)]
    assert "logged out" in answers
