from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import mail
from django.db.models import F

from apps.users import keys
from apps.users.models import User
from core.lockout.models import Counter
from tests.factories import PASSWORD, UserFactory
from tests.integration.users.mailbox import NEW_PASSWORD, Browser, key_for, page, subjects

pytestmark = pytest.mark.django_db
EMAIL = "ada@example.org"


@pytest.fixture
def browser() -> Browser:
    return Browser()


def sign_up(browser: Browser, email: str = EMAIL, password: str = PASSWORD, **more: Any) -> Any:
    return browser.call("accounts/", email=email, password=password, **more)


def problem(response: Any) -> Any:
    return response.json() | {"request_id": "", "instance": ""}


def test_somebody_signs_up_confirms_the_address_and_logs_in(browser: Browser) -> None:
    assert sign_up(browser, "Ada@Example.org", name="Ada").status_code == 202
    assert browser.log_in(EMAIL, PASSWORD).json()["code"] == "authentication_failed"
    assert browser.call("accounts/verification/", key=key_for(EMAIL)).status_code == 204
    assert browser.log_in(EMAIL, PASSWORD).json()["user"]["name"] == "Ada"
    [message] = mail.outbox
    assert message.subject.startswith(settings.PROJECT_NAME)


def test_a_known_address_looks_like_an_unknown_one_and_its_owner_is_told(browser: Browser) -> None:
    owner = UserFactory.create(email=EMAIL)
    known, unknown = sign_up(browser), sign_up(browser, "grace@example.org")
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert set(known.headers) == set(unknown.headers)
    assert subjects(EMAIL) == ["You have an account already"]
    owner.refresh_from_db()
    assert owner.check_password(PASSWORD)
    assert owner.name == "Ada"


def test_who_signed_up_with_a_password_cannot_tell_by_it_whether_there_was_an_account(
    browser: Browser,
) -> None:
    UserFactory.create(email=EMAIL, password=NEW_PASSWORD)
    answers = []
    for email in (EMAIL, "grace@example.org"):
        sign_up(browser, email)
        answers.append(problem(browser.log_in(email, PASSWORD)))
    assert answers[0] == answers[1]


@pytest.mark.parametrize("mailed_again", [False, True])
def test_of_two_claims_to_an_address_the_mailbox_decides_and_neither_password_stays(
    browser: Browser, mailed_again: bool
) -> None:
    """Whoever came first or last may be the stranger."""
    sign_up(browser, password="the passphrase of one")
    first = key_for(EMAIL)
    sign_up(browser, password="the passphrase of another")
    if mailed_again:
        browser.call("accounts/verification/mail/", email=EMAIL)
    assert browser.call("accounts/verification/", key=first).status_code == 400
    assert browser.call("accounts/verification/", key=key_for(EMAIL)).status_code == 400
    chosen = browser.call("password/reset/", key=key_for(EMAIL), password=NEW_PASSWORD)
    assert chosen.status_code == 204
    for password in ("the passphrase of one", "the passphrase of another"):
        assert browser.log_in(EMAIL, password).status_code == 401
    assert browser.log_in(EMAIL, NEW_PASSWORD).status_code == 200


def test_a_key_confirms_once_and_for_three_days(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_up(browser)
    key = key_for(EMAIL)
    monkeypatch.setattr(keys, "VERIFICATION_AGE", 0)
    answer = browser.call("accounts/verification/", key=key)
    assert answer.json()["errors"][0]["code"] == "invalid_key"
    monkeypatch.undo()
    assert browser.call("accounts/verification/", key=key).status_code == 204
    assert browser.call("accounts/verification/", key=key).status_code == 400
    assert keys.VERIFICATION_AGE == 3 * 24 * 3600


def test_the_mail_is_sent_again_to_who_waits_and_to_nobody_else(browser: Browser) -> None:
    UserFactory.create(email="grace@example.org")
    sign_up(browser)
    answers = [
        browser.call("accounts/verification/mail/", email=email)
        for email in (EMAIL, "grace@example.org", "nobody@example.org")
    ]
    assert {(answer.status_code, answer.content) for answer in answers} == {(202, b"")}
    assert [message.to for message in mail.outbox] == [[EMAIL], [EMAIL]]


def test_the_link_is_ours_whatever_host_the_request_names(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    settings.USE_X_FORWARDED_HOST = True
    forged = Browser(HTTP_HOST="evil.test", HTTP_X_FORWARDED_HOST="evil.test")
    sign_up(forged)
    forged.call("password/reset/mail/", email=EMAIL)
    assert len(mail.outbox) == 2
    for message in mail.outbox:
        assert f"{settings.ACCOUNT_ORIGIN}/accounts/" in message.body
        assert "evil" not in message.body
    assert settings.ACCOUNT_ORIGIN == "http://localhost:8000"


@pytest.mark.django_db(transaction=True)
def test_the_mailed_page_confirms_by_a_button_and_not_by_being_opened(browser: Browser) -> None:
    sign_up(browser)
    url = page("verification", key_for(EMAIL))
    assert b"<button" in browser.get(url).content
    assert User.objects.get().waits_for_confirmation()
    assert browser.post(url).status_code == 200
    assert not User.objects.get().waits_for_confirmation()
    assert browser.post(url).status_code == 400


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "password_too_short"),
        ("ada@example.org", "password_too_similar"),
        ("password1234", "password_too_common"),
    ],
)
def test_a_weak_password_is_an_error_of_its_field(
    browser: Browser, password: str, code: str
) -> None:
    answer = sign_up(browser, password=password)
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("#/password", code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ada",
        "ad\0a@example.org",
        "ad\ud800a@example.org",
        "a" * 250 + "@example.org",
        "аda@example.org",  # noqa: RUF001 - a Cyrillic first letter
        "ada@ехample.org",  # noqa: RUF001 - and two of the domain
        "ada@\u212bexample.org",
        '"\x07"@example.org',
        "ada@example.org\nBcc: grace@example.org",
        ["ada@example.org"],
        {"email": EMAIL},
        7,
        None,
    ],
)
@pytest.mark.parametrize(
    "path", ["accounts/", "accounts/verification/mail/", "password/reset/mail/"]
)
def test_what_is_no_address_in_ascii_is_400(browser: Browser, email: Any, path: str) -> None:
    answer = browser.call(path, email=email, password=PASSWORD)
    assert answer.status_code == 400, answer.content
    assert mail.outbox == []


@pytest.mark.parametrize("email", ["\u212aate@example.org", "ka\ud800te@example.org", "\0"])
def test_no_address_makes_a_login_fail_otherwise(browser: Browser, email: str) -> None:
    assert browser.log_in(email, PASSWORD).status_code in (400, 401, 403)


@pytest.mark.parametrize("key", ["", "x", "x" * 513, "1-2-3", "zzzzzzzzzzzzz-x", "1:2:3", "é:é:é"])
@pytest.mark.parametrize("path", ["accounts/verification/", "password/reset/"])
def test_what_is_no_key_is_400(browser: Browser, key: str, path: str) -> None:
    assert browser.call(path, key=key, password=NEW_PASSWORD).status_code == 400
    for name in ("verification", "password"):
        assert browser.post(page(name, key)).status_code == 400
    assert browser.get(page("password", key)).status_code == 400


def test_one_mailbox_gets_five_mails_an_hour_known_or_not(browser: Browser) -> None:
    UserFactory.create(email=EMAIL)
    for email in (EMAIL, "nobody@example.org"):
        answers = [browser.call("password/reset/mail/", email=email) for _ in range(7)]
        assert [a.status_code for a in answers] == [202] * 5 + [429] * 2
        assert answers[-1].json()["code"] == "too_many_attempts"
        assert 3500 < int(answers[-1].headers["Retry-After"]) <= 3600
    assert len(subjects(EMAIL)) == 5


def test_one_network_causes_thirty_mails_an_hour(browser: Browser) -> None:
    codes = [sign_up(browser, f"user{n}@example.org").status_code for n in range(32)]
    assert codes == [202] * 30 + [429] * 2
    Counter.objects.update(expires_at=F("expires_at") - timedelta(hours=1))
    assert sign_up(browser).status_code == 202


def test_an_address_left_over_from_another_account_is_no_obstacle(browser: Browser) -> None:
    other = UserFactory.create(email="new@example.org")
    EmailAddress.objects.create(user=other, email=EMAIL, verified=True)
    sign_up(browser)
    assert browser.call("accounts/verification/", key=key_for(EMAIL)).status_code == 204


def test_accounts_that_an_operator_made_need_no_confirmation(browser: Browser) -> None:
    User.objects.create_superuser(EMAIL, PASSWORD)
    assert browser.log_in(EMAIL, PASSWORD).status_code == 200
