"""General limits, counted by a real Valkey; views of `tests/testapp`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client

from apps.api_keys.models import ApiKey
from core.api import throttles
from scripts.servers import Valkey
from tests.factories import UserFactory

pytestmark = pytest.mark.urls("tests.testapp.caching")
PATH = "/without-authentication/"


@pytest.fixture(autouse=True)
def _rates(settings: Any) -> None:
    settings.API_RATES = {"anonymous": 3, "user": 3, "key": 3}


def statuses(client: Client, count: int, path: str = PATH, **options: Any) -> list[int]:
    return [client.get(path, **options).status_code for _ in range(count)]


def test_a_client_over_its_rate_is_429_and_told_when_to_come_back(client: Client) -> None:
    assert statuses(client, 3) == [200, 200, 200]
    refused = client.get(PATH)
    assert refused.status_code == 429
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json()["code"] == "throttled"
    # Three a minute: the next is earned 20 s after the first.
    assert 18 <= int(refused.headers["Retry-After"]) <= 20
    assert refused.headers["Cache-Control"] == "no-store"


def test_a_refused_call_costs_nothing(client: Client) -> None:
    statuses(client, 3)
    waits = [int(client.get(PATH).headers["Retry-After"]) for _ in range(5)]
    assert waits == sorted(waits, reverse=True)


def test_calls_are_earned_back_one_by_one(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttles, "PERIOD", 1)  # s: one more each 333 ms
    statuses(client, 4)
    deadline = monotonic() + 5
    while (status := client.get(PATH).status_code) == 429:
        assert monotonic() < deadline
    assert status == 200
    # Sooner or later: on a slow machine the next may be earned by now.
    assert 429 in statuses(client, 50)


def test_of_fifty_calls_at_once_as_many_pass_as_the_rate_says(settings: Any) -> None:
    settings.API_RATES = {"anonymous": 10}  # one more each 6 s
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: Client().get(PATH).status_code, range(50)))
    assert sorted(answers) == [200] * 10 + [429] * 40


def test_addresses_are_counted_apart_and_a_client_cannot_choose_its_own(
    client: Client, settings: Any
) -> None:
    assert statuses(client, 4, REMOTE_ADDR="203.0.113.1")[-1] == 429
    assert client.get(PATH, REMOTE_ADDR="203.0.113.2").status_code == 200
    forged = {"x-forwarded-for": "203.0.113.3"}
    assert client.get(PATH, REMOTE_ADDR="203.0.113.1", headers=forged).status_code == 429
    settings.FORWARDED_ALLOW_IPS = ["203.0.113.1"]
    assert client.get(PATH, REMOTE_ADDR="203.0.113.1", headers=forged).status_code == 200


def test_the_addresses_of_one_ipv6_subscriber_are_one_client(client: Client) -> None:
    for n in range(3):
        assert client.get(PATH, REMOTE_ADDR=f"2001:db8:0:1::{n}").status_code == 200
    assert client.get(PATH, REMOTE_ADDR="2001:db8:0:1:ffff::1").status_code == 429
    assert client.get(PATH, REMOTE_ADDR="2001:db8:0:2::1").status_code == 200


def test_ipv4_clients_that_a_proxy_names_in_ipv6_are_counted_apart(client: Client) -> None:
    assert statuses(client, 4, REMOTE_ADDR="::ffff:203.0.113.1")[-1] == 429
    assert client.get(PATH, REMOTE_ADDR="::ffff:203.0.113.2").status_code == 200


@pytest.mark.django_db
def test_users_and_keys_are_counted_apart_wherever_they_come_from(client: Client) -> None:
    first, second = UserFactory.create_batch(2)
    _, token = ApiKey.issue(user=first, name="script", expires_at=None)
    client.force_login(first)
    assert statuses(client, 4, "/by-class/") == [200, 200, 200, 429]
    assert client.get("/by-class/", REMOTE_ADDR="203.0.113.9").status_code == 429
    client.force_login(second)
    assert client.get("/by-class/").status_code == 200
    headers = {"authorization": f"Bearer {token.text}"}
    assert statuses(Client(), 4, "/by-class/", headers=headers) == [200, 200, 200, 429]


@pytest.mark.parametrize("rates", [{}, {"anonymous": None}])
def test_no_rate_is_no_limit(client: Client, settings: Any, rates: dict[str, Any]) -> None:
    settings.API_RATES = rates
    assert statuses(client, 10) == [200] * 10


def test_a_counter_ends_when_it_means_nothing_any_more(client: Client) -> None:
    client.get(PATH)
    cache: Any = caches["default"]
    [key] = cache.iter_keys("throttle:*")
    assert 0 < cache.pttl(key) <= 20_000


@pytest.mark.parametrize("fault", ["kill", "freeze"])
def test_everybody_is_let_in_while_the_cache_is_away(
    client: Client, cache_server: Valkey, fault: str
) -> None:
    statuses(client, 3)
    getattr(cache_server, fault)()
    started = monotonic()
    assert statuses(client, 4) == [200] * 4
    # 0.5 s for each that waits for an answer; the breaker of the cache ends that.
    assert monotonic() - started < 4 * 0.5 + 2
