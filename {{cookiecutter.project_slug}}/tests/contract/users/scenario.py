"""Accounts in the contract tests: the keys of mails that nobody reads there."""

from __future__ import annotations

from allauth.account.models import EmailAddress

from apps.users import keys
from tests.contract.scenario import PASSWORD, Scenario

NEW_PASSWORD = "purple monkey dishwasher"


def add(scenario: Scenario) -> None:
    """Each key is good once, and each mailbox for five mails an hour."""
    scenario.ending |= {"session_start", "session_end", "password_change"}
    email = scenario.user.email
    scenario.example("session_start", body={"email": email, "password": PASSWORD})
    scenario.example(
        "sign_up",
        body={"email": f"new-{scenario.caller}@example.org", "password": PASSWORD, "name": "Eve"},
    )
    scenario.example("address_mail", body={"email": email})
    scenario.example("password_mail", body={"email": email})
    scenario.example(
        "password_change", body={"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    )
    forgetful = scenario.new_user()
    scenario.example(
        "password_reset", body={"key": keys.reset_key(forgetful), "password": NEW_PASSWORD}
    )
    waiting = scenario.new_user()
    EmailAddress.objects.create(user=waiting, email=waiting.email, primary=True, verified=False)
    scenario.example("address_verify", body={"key": keys.verification_key(waiting)})

    # Which passwords are good, and which keys and passwords are right, is not for a document.
    weak = ("password_too_short", "password_too_common", "password_entirely_numeric")
    scenario.may_refuse("sign_up", *weak, "password_too_similar")
    scenario.may_refuse("password_change", *weak, "password_too_similar", "wrong")
    scenario.may_refuse("password_reset", *weak, "password_too_similar", "invalid_key")
    scenario.may_refuse("address_verify", "invalid_key")
