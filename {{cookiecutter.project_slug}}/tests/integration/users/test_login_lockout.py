"""Guessing passwords: from one address, at many accounts, by many machines."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import aauthenticate, authenticate
from django.db.models import F
from django.test import RequestFactory

from apps.users import guards
from apps.users.models import User
from core.lockout.guard import LockedOut
from core.lockout.models import Counter
from scripts.servers import Valkey
from tests.factories import PASSWORD, UserFactory
from tests.integration.users.mailbox import Browser
from tests.parallel import at_once

pytestmark = pytest.mark.django_db


def guess(browser: Browser, email: str, times: int) -> list[int]:
    return [browser.log_in(email, f"guess number {n}").status_code for n in range(times)]


def let_pass(seconds: int) -> None:
    Counter.objects.update(expires_at=F("expires_at") - timedelta(seconds=seconds))


def test_forty_guesses_in_a_row_are_ten_and_the_right_password_waits_for_its_turn() -> None:
    user, browser = UserFactory.create(), Browser()
    statuses = guess(browser, user.email, 40)
    assert (statuses.count(429), statuses[10:]) == (30, [429] * 30)
    refused = browser.log_in(user.email, PASSWORD)
    assert refused.status_code == 429
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert 0 < int(refused.headers["Retry-After"]) <= 900
    let_pass(900)
    assert browser.log_in(user.email, PASSWORD).status_code == 200


def test_meanwhile_the_owner_logs_in_elsewhere_and_others_here() -> None:
    user, neighbour, browser = UserFactory.create(), UserFactory.create(), Browser()
    guess(browser, user.email, 200)
    assert Browser("198.51.100.7").log_in(user.email, PASSWORD).status_code == 200
    assert browser.log_in(neighbour.email, PASSWORD).status_code == 200


def test_the_lock_of_an_unknown_address_is_that_of_a_known_one() -> None:
    user, browser = UserFactory.create(), Browser()
    last = []
    for email in (user.email, "nobody@example.org"):
        assert guess(browser, email, 12)[9:] != [429, 429, 429]
        answer = browser.log_in(email, "guess")
        last.append((answer.status_code, {**answer.json(), "request_id": ""}, set(answer.headers)))
    assert last[0] == last[1]


def test_spellings_of_an_address_are_one_account() -> None:
    user, browser = UserFactory.create(email="kate@example.org"), Browser()
    guess(browser, user.email, 5)
    # The first letter of the last one is the sign of the unit kelvin, whose lower case is k.
    for spelling in ("KATE@example.org", " kate@example.org", "\u212aate@example.org"):
        guess(browser, spelling, 2)
    assert browser.log_in(user.email, PASSWORD).status_code == 429


def test_stuffing_a_thousand_accounts_from_one_address_tries_fifty() -> None:
    user, thief = UserFactory.create(), Browser("203.0.113.9")
    statuses = [guess(thief, f"user{n}@example.com", 1)[0] for n in range(1000)]
    assert statuses.count(429) == 950
    assert Browser().log_in(user.email, PASSWORD).status_code == 200


def test_an_own_account_does_not_pay_for_guesses_at_others() -> None:
    own, thief = UserFactory.create(), Browser("203.0.113.9")
    statuses = []
    for n in range(80):
        thief.log_in(own.email, PASSWORD)
        statuses += guess(thief, f"user{n}@example.com", 1)
    assert statuses.count(429) == 30


def test_an_ipv6_customer_has_one_network_and_not_2_to_the_64() -> None:
    user = UserFactory.create()
    statuses = [guess(Browser(f"2001:db8:1:2::{n:x}"), user.email, 1)[0] for n in range(1, 21)]
    assert statuses.count(429) == 10
    assert Browser("2001:db8:1:3::1").log_in(user.email, PASSWORD).status_code == 200


def test_a_thousand_machines_try_one_account_a_hundred_times_an_hour() -> None:
    user, home = UserFactory.create(), Browser("198.51.100.7")
    assert home.log_in(user.email, PASSWORD).status_code == 200
    statuses = [guess(Browser(f"10.0.{n // 250}.{n % 250}"), user.email, 1)[0] for n in range(200)]
    assert statuses.count(429) == 100
    # Nobody locks the owner out of where they have logged in before.
    assert home.log_in(user.email, PASSWORD).status_code == 200
    assert Browser("198.51.100.8").log_in(user.email, PASSWORD).status_code == 429
    let_pass(3600)
    assert Browser("198.51.100.8").log_in(user.email, PASSWORD).status_code == 200


def test_somebody_who_mistypes_and_then_remembers_starts_anew() -> None:
    user, browser = UserFactory.create(), Browser()
    for _ in range(5):
        assert 429 not in guess(browser, user.email, 9)
        assert browser.log_in(user.email, PASSWORD).status_code == 200


def test_logging_in_a_hundred_times_is_no_guessing() -> None:
    user, browser = UserFactory.create(), Browser()
    assert {browser.log_in(user.email, PASSWORD).status_code for _ in range(100)} == {200}


def test_a_dead_cache_changes_nothing(cache_server: Valkey) -> None:
    user, browser = UserFactory.create(), Browser()
    cache_server.kill()
    assert guess(browser, user.email, 40).count(429) == 30
    assert Browser("198.51.100.7").log_in(user.email, PASSWORD).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_fifty_guesses_at_once_ten_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    user = UserFactory.create()
    checked: list[int] = []
    monkeypatch.setattr(User, "check_password", lambda *_: bool(checked.append(1)))

    def attempt(_: int) -> object:
        request = RequestFactory().post("/", REMOTE_ADDR="192.0.2.1")
        return authenticate(request, username=user.email, password="guess")

    answers = at_once(50, attempt)
    assert len(checked) == 10
    assert [type(each) for each in answers if each is not None] == [LockedOut] * 40


@pytest.mark.django_db(transaction=True)
def test_djangos_asynchronous_login_is_counted_too() -> None:
    user = UserFactory.create()
    request = RequestFactory().post("/", REMOTE_ADDR="192.0.2.1")

    async def guesses() -> None:
        for _ in range(10):
            assert await aauthenticate(request, username=user.email, password="guess") is None
        with pytest.raises(LockedOut):
            await aauthenticate(request, username=user.email, password=PASSWORD)

    asyncio.run(guesses())


def test_the_admin_has_the_same_lock_as_the_api() -> None:
    user, browser = UserFactory.create(is_staff=True), Browser()
    guess(browser, user.email, 7)
    sent = {"username": user.email, "password": "guess"}
    answers = [browser.post("/admin/login/", sent) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert b"Too many attempts" in answers[-1].content
    right = browser.post("/admin/login/", {**sent, "password": PASSWORD})
    assert right.status_code == 429
    assert browser.get("/admin/").status_code == 302


def test_a_login_without_a_request_is_counted_for_the_account() -> None:
    user = UserFactory.create()
    for _ in range(10):
        assert authenticate(username=user.email, password="guess") is None
    with pytest.raises(LockedOut):
        authenticate(username=user.email, password=PASSWORD)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
    ],
)
def test_what_counts_as_one_network(address: str, network: str) -> None:
    request: Any = RequestFactory().get("/", REMOTE_ADDR=address)
    assert guards.network(request) == network
