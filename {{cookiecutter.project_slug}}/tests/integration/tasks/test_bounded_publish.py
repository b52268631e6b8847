"""A broker that is away costs a request at most 300 ms, and nothing else."""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

import pytest
import redis
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from kombu.exceptions import OperationalError

from config.celery import app
from core.tasks import publishing
from scripts.servers import Valkey
from tests.broker import Queue
from tests.logged import logged
from tests.testapp.tasks import say

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]

BOUND = 0.300  # seconds, for all tasks of a request together
SAMPLES = 7
ROUNDS = 3


def order(request: HttpRequest) -> HttpResponse:
    """What a view does: it writes, sends three tasks and answers."""
    hooks: list[str] = []
    with transaction.atomic():
        for number in range(3):
            say.delay(str(number))
        transaction.on_commit(lambda: hooks.append("later hook"))
    return HttpResponse(hooks[0], status=201)


urlpatterns = [path("order/", order)]


def answer() -> tuple[HttpResponse, float]:
    started = time.monotonic()
    response: Any = Client().post("/order/")
    return response, time.monotonic() - started


def assert_median_below(bound: float, sample: Callable[[], float]) -> None:
    """A busy machine only adds to a duration, so the best of a few medians is what counts."""
    medians: list[float] = []
    while not medians or medians[-1] >= bound:
        assert len(medians) < ROUNDS, medians
        medians.append(median(sample() for _ in range(SAMPLES)))


@pytest.fixture(params=["killed", "frozen", "frozen before the first task"])
def away(request: pytest.FixtureRequest, queue: Queue, broker_server: Valkey) -> None:
    """A broker that was there a moment ago; its host refuses connections, or keeps them open."""
    connection.ensure_connection()
    if request.param != "frozen before the first task":
        assert answer()[0].status_code == 201
    if request.param == "killed":
        broker_server.kill()
    else:
        broker_server.freeze()


@pytest.mark.usefixtures("away")
def test_a_request_with_three_tasks_answers_the_same_within_the_bound() -> None:
    def first_request() -> float:
        publishing.breaker.succeeded()
        response, elapsed = answer()
        assert (response.status_code, response.content) == (201, b"later hook")
        return elapsed

    assert_median_below(BOUND, first_request)


@pytest.mark.usefixtures("away")
def test_until_the_pause_is_over_further_requests_cost_nothing() -> None:
    answer()
    assert_median_below(publishing.ANSWER_TIMEOUT / 2, lambda: answer()[1])


@pytest.mark.usefixtures("away")
def test_a_task_that_was_not_published_is_logged_with_its_id_and_counted() -> None:
    with logged() as lines:
        results = [say.delay("lost") for _ in range(3)]
    assert [line["message"] for line in lines.json] == ["task not published"] * 3
    assert [line["task_id"] for line in lines.json] == [result.id for result in results]
    assert {line["task"] for line in lines.json} == {say.name}
    assert publishing.failures[say.name] >= 3


@pytest.mark.usefixtures("away")
def test_publish_now_raises_and_counts_nothing() -> None:
    before = Counter(publishing.failures)

    def send() -> float:
        publishing.breaker.succeeded()
        started = time.monotonic()
        for _ in range(3):
            with pytest.raises(OperationalError):
                say.apply_async(("lost",), publish_now=True)
        return time.monotonic() - started

    assert_median_below(BOUND, send)
    assert publishing.failures == before


def test_the_first_task_after_a_restart_of_the_broker_arrives(
    queue: Queue, broker_server: Valkey
) -> None:
    say.delay("before")
    broker_server.restart()
    say.delay("after")
    assert queue.words == ["before", "after"]


def test_after_a_freeze_tasks_flow_again_when_the_pause_is_over(
    queue: Queue, broker_server: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "breaker", publishing.Breaker(pause=0.2, slow=0.05))
    say.delay("before")
    broker_server.freeze()
    say.delay("timed out")
    say.delay("passed by")
    broker_server.thaw()
    wait_until(lambda: _arrives(queue, "after"))
    assert queue.words[0] == "before"
    assert "passed by" not in queue.words


def test_a_retry_whose_publish_fails_is_told_to_celery(
    queue: Queue, broker_server: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.tasks.base.PATIENCE", {"max_retries": 0})
    say.delay("before")
    broker_server.kill()
    with pytest.raises(OperationalError):
        say.signature(("again",)).apply_async(retries=1)


def test_a_process_of_many_threads_pays_the_bound_once_for_each(
    queue: Queue, broker_server: Valkey
) -> None:
    broker_server.freeze()

    def send(_: int) -> float:
        started = time.monotonic()
        for _number in range(3):
            say.delay("lost")
        return time.monotonic() - started

    def send_from_each(threads: ThreadPoolExecutor) -> float:
        publishing.breaker.succeeded()
        return median(threads.map(send, range(4)))

    with ThreadPoolExecutor(4) as threads:
        assert_median_below(BOUND, lambda: send_from_each(threads))


@pytest.mark.parametrize("scheme", ["redis", "rediss", "amqp"])
def test_the_bound_holds_for_every_kind_of_broker_that_accepts_and_says_nothing(
    scheme: str, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"{scheme}://user:password@127.0.0.1:{silent.getsockname()[1]}/0"
        monkeypatch.setitem(app.conf, "broker_url", url)
        sent = 0

        def send() -> float:
            nonlocal sent
            publishing.breaker.succeeded()
            started = time.monotonic()
            for _ in range(3):
                say.delay("lost")
                sent += 1
            return time.monotonic() - started

        assert_median_below(BOUND, send)
        assert publishing.failures[say.name] == sent


def _arrives(queue: Queue, word: str) -> bool:
    say.delay(word)
    return word in queue.words


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


@pytest.fixture
def full_broker(queue: Queue, broker_server: Valkey) -> Iterator[None]:
    """A broker that has used its memory, and evicts nothing."""
    say.delay("before")
    client = redis.Redis.from_url(broker_server.url)
    client.config_set("maxmemory", 1)
    yield
    client.config_set("maxmemory", 0)
    client.close()


@pytest.mark.usefixtures("full_broker")
def test_a_task_that_a_full_broker_refuses_is_logged_counted_and_not_an_error(
    queue: Queue,
) -> None:
    with logged() as lines:
        response, _elapsed = answer()
        result = say.delay("lost")
    assert (response.status_code, response.content) == (201, b"later hook")
    assert [line["message"] for line in lines.json].count("task not published") == 4
    [last] = [line for line in lines.json if line.get("task_id") == result.id]
    assert "maxmemory" in last["reason"]
    assert publishing.failures[say.name] == 4
    assert queue.words == ["before"]


@pytest.mark.usefixtures("full_broker")
def test_publish_now_tells_its_caller_that_the_broker_is_full(queue: Queue) -> None:
    with pytest.raises(OperationalError, match="maxmemory"):
        say.apply_async(("lost",), publish_now=True)
    assert queue.words == ["before"]
