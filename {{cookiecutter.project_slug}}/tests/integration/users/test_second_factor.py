"""The admin's second factor: enrolment, use, loss."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.management import CommandError, call_command
from django.test import Client

from apps.users import second_factor
from apps.users.models import User
from scripts.servers import Valkey
from tests.factories import PASSWORD, UserFactory
from tests.integration.users.mailbox import Browser
from tests.parallel import at_once

pytestmark = pytest.mark.django_db
ENROL = "/admin/second-factor/"


@pytest.fixture(autouse=True)
def _as_in_production(settings: Any) -> None:
    settings.ADMIN_SECOND_FACTOR = True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Moves the time of codes, in steps of 30 s."""
    now = [time.time()]
    monkeypatch.setattr("allauth.mfa.totp.internal.auth.time.time", lambda: now[0])

    def forward(steps: int) -> None:
        now[0] += 30 * steps

    forward.now = now  # type: ignore[attr-defined]
    return forward


@pytest.fixture
def user() -> User:
    return UserFactory.create(is_staff=True, is_superuser=True)


def code(secret: str, clock: Any) -> str:
    return format_hotp_value(hotp_value(secret, int(clock.now[0]) // 30))


def log_in(client: Client, user: User, code: str = "", password: str = PASSWORD) -> Any:
    sent = {"username": user.email, "password": password, "code": code, "next": "/admin/"}
    return client.post("/admin/login/", sent)


def opens(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def enrol(client: Client, user: User, clock: Any) -> tuple[str, list[str]]:
    """The secret and the recovery codes of a fresh enrolment."""
    assert log_in(client, user).status_code == 302
    page = client.get("/admin/", follow=True)
    assert page.redirect_chain[-1][0] == ENROL
    found = re.search(r"<code>([A-Z2-7=]{32,})</code>", page.content.decode())
    assert found
    secret = html.unescape(found[1])
    done = client.post(ENROL, {"code": code(secret, clock)})
    assert done.status_code == 200
    return secret, re.findall(r"<code>(\d{8})</code>", done.content.decode())


def test_a_new_superuser_enrols_at_the_first_login_and_is_in(
    client: Client, user: User, clock: Any
) -> None:
    log_in(client, user)
    assert not opens(client)
    _, recovery = enrol(client, user, clock)
    assert opens(client)
    assert len(set(recovery)) == 10


def test_until_it_is_enrolled_no_page_of_the_admin_opens(client: Client, user: User) -> None:
    log_in(client, user)
    for path in ("", "users/user/", "users/user/add/", "password_change/", "jsi18n/"):
        assert client.get("/admin/" + path).status_code == 302, path


def test_the_next_login_asks_for_a_code(client: Client, user: User, clock: Any) -> None:
    secret, _ = enrol(client, user, clock)
    clock(1)
    other = Client()
    asked = log_in(other, user)
    assert b"with a code of your authenticator app" in asked.content
    assert not opens(other)
    assert other.get("/api/v1/session/").json()["user"] is None
    assert log_in(other, user, code(secret, clock)).status_code == 302
    assert opens(other)


def test_a_code_is_good_once_also_while_the_cache_is_away(
    client: Client, user: User, clock: Any, cache_server: Valkey
) -> None:
    secret, _ = enrol(client, user, clock)
    # The one of the enrolment itself is used.
    assert log_in(Client(), user, code(secret, clock)).status_code == 200
    clock(1)
    cache_server.kill()
    assert log_in(Client(), user, code(secret, clock)).status_code == 302
    assert log_in(Client(), user, code(secret, clock)).status_code == 200


@pytest.mark.parametrize(("steps", "accepted"), [(-2, False), (-1, True), (1, True), (2, False)])
def test_a_clock_may_differ_by_one_step(
    client: Client, user: User, clock: Any, steps: int, accepted: bool
) -> None:
    secret, _ = enrol(client, user, clock)
    clock(10 + steps)
    shown = code(secret, clock)
    clock(-steps)
    assert (log_in(Client(), user, shown).status_code == 302) is accepted


def test_a_recovery_code_is_good_once(client: Client, user: User, clock: Any) -> None:
    _, recovery = enrol(client, user, clock)
    assert log_in(Client(), user, f"{recovery[0][:4]} {recovery[0][4:]}").status_code == 302
    assert log_in(Client(), user, recovery[0]).status_code == 200
    assert log_in(Client(), user, recovery[1]).status_code == 302


def test_new_recovery_codes_replace_the_old_ones(client: Client, user: User, clock: Any) -> None:
    _, recovery = enrol(client, user, clock)
    assert b"Make new recovery codes" in client.get(ENROL).content
    fresh = re.findall(r"<code>(\d{8})</code>", client.post(ENROL).content.decode())
    assert len(set(fresh) - set(recovery)) == 10
    assert log_in(Client(), user, recovery[0]).status_code == 200
    assert log_in(Client(), user, fresh[0]).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_of_two_logins_at_once_with_one_code_one_gets_in(clock: Any) -> None:
    user = UserFactory.create(is_staff=True)
    secret, _ = enrol(Client(), user, clock)
    clock(1)
    shown = code(secret, clock)
    factor = second_factor.of(user)
    assert factor

    accepted = at_once(4, lambda _: factor.accepts(shown))
    assert sorted(accepted, key=str) == [False, False, False, True]


def test_codes_cannot_be_guessed_by_who_knows_the_password(
    client: Client, user: User, clock: Any
) -> None:
    secret, _ = enrol(client, user, clock)
    clock(1)
    statuses = [log_in(Client(), user, f"{n:06}").status_code for n in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    assert log_in(Client(), user, code(secret, clock)).status_code == 429
    elsewhere = Client(REMOTE_ADDR="198.51.100.7")
    assert log_in(elsewhere, user, code(secret, clock)).status_code == 302


def test_the_api_asks_for_the_code_as_well(client: Client, user: User, clock: Any) -> None:
    secret, _ = enrol(client, user, clock)
    clock(1)
    browser = Browser()
    assert browser.log_in(user.email, PASSWORD).json()["code"] == "second_factor_required"
    assert browser.log_in(user.email, PASSWORD, code="1").json()["code"] == "second_factor_invalid"
    assert browser.user() is None
    assert browser.log_in(user.email, "guess").json()["code"] == "authentication_failed"
    right = browser.log_in(user.email, PASSWORD, code=code(secret, clock))
    assert right.json()["user"]["id"] == user.pk
    # The session used the factor, wherever it began.
    assert opens(browser)


def test_a_session_from_before_the_enrolment_does_not_open_the_admin(
    client: Client, user: User, clock: Any
) -> None:
    earlier = Browser()
    earlier.log_in(user.email, PASSWORD)
    enrol(client, user, clock)
    assert not opens(earlier)
    page = earlier.get(ENROL, follow=True)
    assert page.redirect_chain[-1][0].startswith("/admin/login/")


def test_who_is_not_staff_is_not_led_to_an_enrolment(client: Client) -> None:
    client.force_login(UserFactory.create())
    assert client.get("/admin/login/").status_code == 200
    assert client.get(ENROL).status_code == 302
    assert Client().get(ENROL).status_code == 302


def test_the_enrolment_wants_the_token_of_its_form(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    assert client.post(ENROL, {"code": "000000"}).status_code == 403


def test_a_wrong_first_code_enrols_nothing(client: Client, user: User) -> None:
    log_in(client, user)
    assert b"The code is wrong" in client.post(ENROL, {"code": "000000"}).content
    assert not Authenticator.objects.exists()


def test_secrets_are_encrypted_and_survive_a_rotation_of_the_key(
    client: Client, user: User, clock: Any, settings: Any
) -> None:
    secret, recovery = enrol(client, user, clock)
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in stored
    assert recovery[0] not in stored

    old, settings.SECRET_KEY = settings.SECRET_KEY, "another key " * 5
    settings.SECRET_KEY_FALLBACKS = [old]
    clock(1)
    assert log_in(Client(), user, code(secret, clock)).status_code == 302
    # That use has encrypted it with the new key.
    settings.SECRET_KEY_FALLBACKS = []
    clock(1)
    assert log_in(Client(), user, code(secret, clock)).status_code == 302
    assert log_in(Client(), user, recovery[0]).status_code == 302


def test_a_secret_of_a_lost_key_is_a_wrong_code_and_no_error(
    client: Client, user: User, clock: Any, settings: Any
) -> None:
    secret, recovery = enrol(client, user, clock)
    settings.SECRET_KEY = "another key " * 5
    for shown in (code(secret, clock), recovery[0]):
        assert log_in(Client(), user, shown).status_code == 200


def test_a_lost_factor_is_removed_by_an_operator_and_enrolled_anew(
    client: Client, user: User, clock: Any
) -> None:
    enrol(client, user, clock)
    out = StringIO()
    call_command("unlock", user.email.upper(), "--second-factor", stdout=out)
    assert "2 factors removed" in out.getvalue()
    assert not opens(client)
    assert client.get("/admin/", follow=True).redirect_chain[-1][0] == ENROL
    clock(1)
    enrol(Client(), user, clock)


def test_unlocking_lets_somebody_in_at_once_and_leaves_the_factor(
    client: Client, user: User, clock: Any
) -> None:
    enrol(client, user, clock)
    browser = Browser()
    for _ in range(11):
        browser.log_in(user.email, "guess")
    call_command("unlock", user.email, stdout=StringIO())
    clock(1)
    assert browser.log_in(user.email, PASSWORD).json()["code"] == "second_factor_required"
    with pytest.raises(CommandError, match="no such account"):
        call_command("unlock", "nobody@example.org")


def test_in_development_the_password_is_enough(client: Client, user: User, settings: Any) -> None:
    settings.ADMIN_SECOND_FACTOR = False
    log_in(client, user)
    assert opens(client)


def test_the_pages_run_under_our_policy(client: Client, user: User) -> None:
    login = client.get("/admin/login/")
    log_in(client, user)
    for response in (login, client.get(ENROL)):
        policy = response.headers["Content-Security-Policy"]
        page = response.content.decode()
        assert "unsafe" not in policy
        assert "style=" not in page
        assert re.findall(r"<script(?![^>]*(?:src|nonce)=)", page) == []
        assert "no-store" in response.headers["Cache-Control"]
    assert 'src="data:image/svg+xml;base64,' in page


def test_the_admin_shows_no_secret(client: Client, user: User, clock: Any) -> None:
    enrol(client, user, clock)
    row = Authenticator.objects.get(type="totp")
    page = client.get(f"/admin/mfa/authenticator/{row.pk}/change/").content.decode()
    assert row.data["secret"] not in page
    assert client.get("/admin/mfa/authenticator/add/").status_code == 403
