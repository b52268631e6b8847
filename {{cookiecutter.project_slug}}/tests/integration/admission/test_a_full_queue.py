"""A queue past its bound, at a real broker: who fills it waits, everybody else does not."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic, sleep
from typing import Any

import pytest
import redis
from django.test import Client

from core.admission import depth, throttle
from core.outbox.models import Message
from scripts.servers import Valkey
from tests.broker import published

__all__ = ["published"]

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.urls("tests.testapp.producer"),
    pytest.mark.usefixtures("published"),
]
BOUND = 3
LOW, DEFAULT = "/api/test/low/", "/api/test/default/"


@pytest.fixture(autouse=True)
def _fresh(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TASKS_QUEUE_BOUNDS = {"low": BOUND}
    monkeypatch.setattr(depth, "FRESH", 0.0)
    throttle.depths.clear()


@pytest.fixture
def low(broker_server: Valkey) -> Iterator[redis.Redis]:
    """The broker, without anything in the queue `low` before and after."""
    with redis.Redis.from_url(broker_server.url) as broker:
        broker.delete("low", "default")
        yield broker
        broker.delete("low", "default")


def fill(broker: redis.Redis, queue: str, messages: int) -> None:
    broker.rpush(queue, *["{}"] * messages)


def wait_for_messages_in_the_outbox(number: int, queue: str = "low") -> None:
    for each in range(number):
        Message.objects.create(message_id=f"{queue} {each}", task="t", queue=queue, body="[[],{}]")


def test_who_fills_a_full_queue_is_429_and_told_when_to_come_back(
    client: Client, low: redis.Redis
) -> None:
    fill(low, "low", BOUND - 1)
    assert client.post(LOW).status_code == 202
    fill(low, "low", 1)
    refused = client.post(LOW)
    assert (refused.status_code, refused.json()["code"]) == (429, "throttled")
    assert refused.headers["Retry-After"] == str(throttle.RETRY_AFTER)
    low.ltrim("low", 0, 0)
    assert client.post(LOW).status_code == 202


def test_reading_and_other_queues_are_never_refused(client: Client, low: redis.Redis) -> None:
    fill(low, "low", BOUND)
    fill(low, "default", 100 * BOUND)
    assert client.get(LOW).status_code == 200
    assert client.post(DEFAULT).status_code == 202
    assert client.post(LOW).status_code == 429


def test_what_waits_in_the_outbox_counts_as_well(client: Client, low: redis.Redis) -> None:
    wait_for_messages_in_the_outbox(BOUND, "default")
    assert client.post(LOW).status_code == 202
    wait_for_messages_in_the_outbox(BOUND)
    assert client.post(LOW).status_code == 429


@pytest.mark.parametrize("fault", ["killed", "frozen"])
def test_a_broker_that_is_away_refuses_nobody_until_the_outbox_is_full(
    fault: str, client: Client, low: redis.Redis, broker_server: Valkey
) -> None:
    fill(low, "low", BOUND)
    assert client.post(LOW).status_code == 429
    broker_server.kill() if fault == "killed" else broker_server.freeze()
    assert client.post(LOW).status_code == 202
    wait_for_messages_in_the_outbox(BOUND)
    assert client.post(LOW).status_code == 429
    broker_server.start() if fault == "killed" else broker_server.thaw()


def test_a_frozen_broker_is_asked_once_and_not_by_every_request(
    client: Client, broker_server: Valkey
) -> None:
    client.post(LOW)
    broker_server.freeze()
    client.post(LOW)  # pays for all
    began = monotonic()
    for _ in range(20):
        assert client.post(LOW).status_code == 202
    # Less than two of the timeouts that each would pay.
    assert monotonic() - began < 20 * 0.15


def test_a_number_is_good_for_a_moment(
    client: Client, low: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(depth, "FRESH", 1.0)
    fill(low, "low", 1)
    assert client.post(LOW).status_code == 202
    fill(low, "low", BOUND)
    asked = low.info("commandstats")["cmdstat_llen"]["calls"]
    answers = [client.post(LOW).status_code for _ in range(5)]
    assert answers[0] == 202  # still the old number
    assert low.info("commandstats")["cmdstat_llen"]["calls"] - asked <= 4  # one question
    deadline = monotonic() + 10
    while client.post(LOW).status_code != 429:
        assert monotonic() < deadline
        sleep(0.05)
