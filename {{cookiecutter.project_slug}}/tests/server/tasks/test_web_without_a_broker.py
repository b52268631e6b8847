"""Requests that send tasks, while the broker is dead, frozen, or behind a network that drops."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from statistics import median

import pytest

from scripts.servers import HOST, Valkey
from tests.broker import Queue
from tests.server.conftest import StartRole
from tests.server.crowd import crowd, statuses
from tests.server.roles import Role

LOADED = "tests.testapp.loaded:application"
BOUND = 0.300  # seconds that all tasks of a request may add to it
PAUSE = 5.0  # seconds until a process that noticed an outage tries again
SAMPLES = 15
ROUNDS = 3
ONE = {"WEB_CONCURRENCY": "1"}
NOT_PUBLISHED = "task not published"


@pytest.fixture(params=["killed", "frozen", "frozen before the first task"])
def break_broker(request: pytest.FixtureRequest, broker_server: Valkey) -> Callable[[Role], None]:
    def act(web: Role) -> None:
        if request.param != "frozen before the first task":
            assert order(web, 3) > 0
        if request.param == "killed":
            broker_server.kill()
        else:
            broker_server.freeze()

    return act


@contextmanager
def a_port_that_drops() -> Iterator[int]:
    """A listener whose queue is full: the kernel drops whoever comes, as a firewall does."""
    with socket.create_server((HOST, 0), backlog=0) as listener, ExitStack() as waiting:
        for _ in range(4):
            client = waiting.enter_context(closing(socket.socket()))
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        with pytest.raises(TimeoutError):
            socket.create_connection(listener.getsockname(), timeout=0.3)
        yield listener.getsockname()[1]


def order(web: Role, tasks: int, query: str = "") -> float:
    """Seconds of a request that sends so many tasks; it must not notice what they meet."""
    started = time.monotonic()
    response, body = web.get(f"/order/{tasks}/{query}")
    assert (response.status, body) == (201, b"later hook")
    return time.monotonic() - started


def assert_bounded(web: Role) -> None:
    """The worst request, whose process knows nothing of the outage, against one without tasks."""
    added: list[float] = []
    while not added or added[-1] > BOUND:
        assert len(added) < ROUNDS, added
        pairs = [(order(web, 0), order(web, 3, "?first")) for _ in range(SAMPLES)]
        without = median(each for each, _ in pairs)
        added.append(max(each for _, each in pairs) - without)


def test_the_slowest_request_with_three_tasks_takes_300_ms_more_at_most(
    start_role: StartRole, queue: Queue, break_broker: Callable[[Role], None]
) -> None:
    with start_role("web", LOADED) as web:
        break_broker(web)
        assert_bounded(web)


def test_the_same_holds_when_nothing_answers_a_connect(start_role: StartRole) -> None:
    with (
        a_port_that_drops() as port,
        start_role("web", LOADED, env={"BROKER_URL": f"redis://{HOST}:{port}/0"}) as web,
    ):
        assert_bounded(web)


def test_20_requests_at_once_are_each_within_the_bound(
    start_role: StartRole, queue: Queue, broker_server: Valkey
) -> None:
    async def together(tasks: int) -> list[float]:
        answers = await crowd(web.port, f"/order/{tasks}/?first", clients=20)
        assert statuses(answers) == {201: 20}
        return [answer.seconds for answer in answers]

    with start_role("web", LOADED, env={**ONE, "THREADS": "20"}) as web:
        asyncio.run(together(3))  # each thread has its connections
        broker_server.freeze()
        added: list[float] = []
        while not added or added[-1] > BOUND:
            assert len(added) < ROUNDS, added
            without = max(asyncio.run(together(0)))
            added.append(max(asyncio.run(together(3))) - without)


def test_every_task_that_was_not_published_is_logged_with_its_request_and_counted(
    start_role: StartRole, queue: Queue, break_broker: Callable[[Role], None]
) -> None:
    with start_role("web", LOADED, env=ONE) as web:
        break_broker(web)
        for _ in range(4):
            order(web, 3)
        assert web.get("/failures/")[1] == b"12"
    lines = [line for line in web.logs if line["message"] == NOT_PUBLISHED]
    assert len({line["task_id"] for line in lines}) == 12
    assert {line["task"] for line in lines} == {"tests.testapp.tasks.say"}
    assert len({line["request_id"] for line in lines}) == 4


@pytest.mark.parametrize("how", ["kill", "freeze"])
def test_tasks_flow_again_in_every_process_when_the_broker_is_back(
    how: str, start_role: StartRole, queue: Queue, broker_server: Valkey
) -> None:
    def arrives() -> bool:
        before = len(queue.messages)
        order(web, 1)
        return len(queue.messages) > before

    with start_role("web", LOADED) as web:
        for _ in range(20):
            order(web, 1)
        getattr(broker_server, how)()
        for _ in range(20):  # both processes notice
            order(web, 3)
        broker_server.thaw()
        broker_server.start()
        back = time.monotonic()
        in_a_row = 0  # more than one process alone would answer
        while in_a_row < 20:
            assert time.monotonic() - back < PAUSE + 2
            in_a_row = in_a_row + 1 if arrives() else 0
