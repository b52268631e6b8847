"""Forgotten and changed passwords, and what becomes of sessions."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings as django_settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core import mail
from django.test import Client, TestCase

from apps.users import accounts, keys
from apps.users.models import User
from scripts.servers import Valkey
from tests.factories import PASSWORD, UserFactory
from tests.integration.users.mailbox import NEW_PASSWORD, Browser, key_for, page, subjects
from tests.parallel import at_once

pytestmark = pytest.mark.django_db
CHANGED = "Your password was changed"


@pytest.fixture
def browser() -> Browser:
    return Browser()


def ask(browser: Browser, email: str) -> Any:
    return browser.call("password/reset/mail/", email=email)


def reset(browser: Browser, key: str, password: str = NEW_PASSWORD) -> Any:
    return browser.call("password/reset/", key=key, password=password)


def change(browser: Browser, old: str = PASSWORD, new: str = NEW_PASSWORD) -> Any:
    return browser.call("password/", current_password=old, new_password=new)


def test_somebody_who_forgot_chooses_a_new_password_and_is_told(browser: Browser) -> None:
    user = UserFactory.create()
    assert ask(browser, user.email.upper()).status_code == 202
    assert reset(browser, key_for(user.email)).status_code == 204
    assert browser.user() is None
    assert browser.log_in(user.email, PASSWORD).status_code != 200
    assert browser.log_in(user.email, NEW_PASSWORD).status_code == 200
    assert subjects(user.email) == ["Choose a new password", CHANGED]


def test_asking_for_an_unknown_address_looks_the_same_and_mails_nobody(browser: Browser) -> None:
    user, closed = UserFactory.create(), UserFactory.create(is_active=False)
    answers = [ask(browser, email) for email in (user.email, closed.email, "nobody@example.org")]
    assert {(a.status_code, a.content, tuple(a.headers)) for a in answers} == {
        (202, b"", tuple(answers[0].headers))
    }
    assert [message.to for message in mail.outbox] == [[user.email]]


def test_an_account_whose_password_was_turned_off_gets_none_by_mail(browser: Browser) -> None:
    user = UserFactory.create()
    user.set_unusable_password()
    user.save()
    assert ask(browser, user.email).status_code == 202
    assert not mail.outbox


def test_a_key_is_good_once(browser: Browser) -> None:
    user = UserFactory.create()
    ask(browser, user.email)
    key = key_for(user.email)
    assert reset(browser, key).status_code == 204
    again = reset(browser, key, "yet another passphrase")
    assert again.json()["errors"][0]["code"] == "invalid_key"
    assert browser.log_in(user.email, NEW_PASSWORD).status_code == 200


def test_a_key_ends_after_an_hour(browser: Browser, settings: Any) -> None:
    user = UserFactory.create()
    ask(browser, user.email)
    assert settings.PASSWORD_RESET_TIMEOUT == 3600
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert reset(browser, key_for(user.email)).status_code == 400


def test_a_changed_password_a_login_or_a_new_address_ends_older_keys(browser: Browser) -> None:
    def changed(user: User) -> None:
        accounts.change_password(user, NEW_PASSWORD)

    def logged_in(user: User) -> None:
        assert Browser().log_in(user.email, PASSWORD).status_code == 200

    def moved(user: User) -> None:
        User.objects.filter(pk=user.pk).update(email=f"moved{user.pk}@example.org")

    def closed(user: User) -> None:
        User.objects.filter(pk=user.pk).update(is_active=False)

    for happens in (changed, logged_in, moved, closed):
        user = UserFactory.create()
        key = keys.reset_key(user)
        happens(user)
        assert reset(browser, key, "yet another passphrase").status_code == 400, happens


def test_a_weak_password_is_an_error_of_its_field_and_leaves_the_key(browser: Browser) -> None:
    user = UserFactory.create()
    key = keys.reset_key(user)
    for weak in ("short", user.email, "password1234"):
        [error] = reset(browser, key, weak).json()["errors"]
        assert error["pointer"] == "#/password"
        assert error["code"].startswith("password_")
    assert reset(browser, key).status_code == 204


@pytest.mark.django_db(transaction=True)
def test_of_four_uses_of_a_key_at_once_one_works(settings: Any) -> None:
    # Slow, so that all four are between the look at the key and the new password.
    settings.PASSWORD_HASHERS = ["apps.users.hashers.Argon2PasswordHasher"]
    user = UserFactory.create()
    key = keys.reset_key(user)

    def use(number: int) -> int:
        return int(reset(Browser(), key, f"{NEW_PASSWORD} {number}").status_code)

    assert sorted(at_once(4, use), key=str) == [204, 400, 400, 400]


def test_a_reset_confirms_the_address_and_ends_the_lock(browser: Browser) -> None:
    browser.call("accounts/", email="ada@example.org", password=PASSWORD)
    for _ in range(11):
        browser.log_in("ada@example.org", "guess")
    ask(browser, "ada@example.org")
    assert reset(browser, key_for("ada@example.org")).status_code == 204
    assert EmailAddress.objects.get().verified
    assert browser.log_in("ada@example.org", NEW_PASSWORD).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_the_mailed_page_sets_the_password(browser: Browser) -> None:
    user = UserFactory.create()
    ask(browser, user.email)
    url = page("password", key_for(user.email))
    assert b'type="password"' in browser.get(url).content
    refused = browser.post(url, {"password": "short"})
    assert refused.status_code == 400
    assert b"too short" in refused.content
    assert browser.post(url, {"password": NEW_PASSWORD}).status_code == 200
    assert browser.log_in(user.email, NEW_PASSWORD).status_code == 200
    assert browser.get(url).status_code == 400


def test_the_mailed_page_wants_the_token_of_its_form() -> None:
    url = page("password", keys.reset_key(UserFactory.create()))
    assert Client(enforce_csrf_checks=True).post(url, {"password": NEW_PASSWORD}).status_code == 403


def test_keys_cannot_be_tried_without_end(browser: Browser) -> None:
    statuses = [reset(browser, f"1-{n}-x").status_code for n in range(31)]
    assert statuses == [400] * 30 + [429]
    assert browser.post(page("password", "x")).status_code == 429
    key = keys.reset_key(UserFactory.create())
    assert reset(Browser("198.51.100.7"), key).status_code == 204


@pytest.mark.parametrize("flushed", [False, True])
def test_a_change_ends_every_other_session_and_keeps_this_one(
    browser: Browser, cache_server: Valkey, flushed: bool
) -> None:
    user, other = UserFactory.create(), Browser("198.51.100.7")
    for each in (browser, other):
        each.log_in(user.email, PASSWORD)
        assert each.user()
    stolen = Client()
    name = django_settings.SESSION_COOKIE_NAME
    stolen.cookies[name] = browser.cookies[name].value

    assert change(browser).status_code == 204
    if flushed:
        cache_server.flush()
    assert browser.user()["id"] == user.pk
    assert other.user() is None
    assert other.call("password/", current_password=PASSWORD, new_password=NEW_PASSWORD).json()[
        "code"
    ] in ("not_authenticated", "permission_denied")
    # A copy of this session's cookie, from before.
    assert stolen.get("/api/v1/session/").json()["user"] is None
    assert subjects(user.email) == [CHANGED]


def test_a_reset_ends_every_session(browser: Browser) -> None:
    user = UserFactory.create()
    browser.log_in(user.email, PASSWORD)
    reset(Browser("198.51.100.7"), keys.reset_key(User.objects.get()))
    assert browser.user() is None


def test_the_old_password_is_asked_for_and_cannot_be_guessed_in_a_session(
    browser: Browser,
) -> None:
    user = UserFactory.create()
    browser.log_in(user.email, PASSWORD)
    answers = [change(browser, old="guess") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [400] * 5 + [429]
    assert answers[0].json()["errors"][0]["pointer"] == "#/current_password"
    assert change(browser).status_code == 429
    assert User.objects.get().check_password(PASSWORD)


def test_a_weak_new_password_is_an_error_of_its_field(browser: Browser) -> None:
    user = UserFactory.create()
    browser.log_in(user.email, PASSWORD)
    [error] = change(browser, new="short").json()["errors"]
    assert (error["pointer"], error["code"]) == ("#/new_password", "password_too_short")
    assert subjects(user.email) == []


def test_a_change_in_the_admin_is_told_too(browser: Browser) -> None:
    user = UserFactory.create(is_staff=True)
    browser.force_login(user)
    sent = {
        "old_password": PASSWORD,
        "new_password1": NEW_PASSWORD,
        "new_password2": NEW_PASSWORD,
    }
    with TestCase.captureOnCommitCallbacks(execute=True):
        assert browser.post("/admin/password_change/", sent).status_code == 302
    assert subjects(user.email) == [CHANGED]


def test_the_old_password_cannot_be_guessed_in_the_admin_either(browser: Browser) -> None:
    browser.force_login(UserFactory.create(is_staff=True, is_superuser=True))

    def try_out(old: str) -> Any:
        sent = {"old_password": old, "new_password1": "weak", "new_password2": "weak"}
        return browser.post("/admin/password_change/", sent)

    assert {try_out(PASSWORD).status_code for _ in range(6)} == {200}
    assert [try_out("wrong").status_code for _ in range(6)] == [200] * 5 + [429]
    locked = try_out(PASSWORD)
    assert locked.status_code == 429
    assert int(locked.headers["Retry-After"]) > 800
    assert change(browser).status_code == 429


def test_a_change_by_an_operator_is_told_to_the_user(browser: Browser) -> None:
    user = UserFactory.create()
    browser.force_login(UserFactory.create(is_staff=True, is_superuser=True))
    sent = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}
    with TestCase.captureOnCommitCallbacks(execute=True):
        answer = browser.post(f"/admin/users/user/{user.pk}/password/", sent)
    assert answer.status_code == 302
    assert subjects(user.email) == [CHANGED]


class TestHashes:
    """Argon2id at 19 MiB, two passes, one lane; older hashes are replaced at the next login."""

    @pytest.fixture(autouse=True)
    def _hashers_of_production(self, settings: Any) -> None:
        from config.settings.components.accounts import PASSWORD_HASHERS

        settings.PASSWORD_HASHERS = PASSWORD_HASHERS

    def test_a_sign_up_and_a_reset_write_argon2id(self, browser: Browser) -> None:
        browser.call("accounts/", email="ada@example.org", password=PASSWORD)
        assert User.objects.get().password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
        reset(browser, keys.reset_key(User.objects.get()))
        assert User.objects.get().password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")

    def test_a_login_replaces_a_pbkdf2_hash(self, browser: Browser) -> None:
        user = UserFactory.create()
        user.password = PBKDF2PasswordHasher().encode(PASSWORD, "salt" * 4, iterations=1000)
        user.save()
        assert browser.log_in(user.email, PASSWORD).status_code == 200
        user.refresh_from_db()
        assert user.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
        assert browser.user()
        assert browser.log_in(user.email, PASSWORD).status_code == 200
