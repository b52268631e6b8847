"""The breaker in front of the cache."""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from core.cache.breaker import Breaker
from core.cache.client import GuardedPool, GuardedRedis
from tests.logged import logged

SHORT = 0.01  # seconds between two trials


class Server:
    """What a breaker probes: away until told otherwise."""

    def __init__(self) -> None:
        self.answers = False
        self.probes = 0
        self.probing_threads: set[str] = set()

    def __call__(self) -> None:
        self.probes += 1
        self.probing_threads.add(threading.current_thread().name)
        if not self.answers:
            raise redis.ConnectionError


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def breaker(server: Server) -> Iterator[Breaker]:
    """A breaker whose thread ends with the test."""
    breaker = Breaker(server, failures=3, interval=SHORT)
    yield breaker
    breaker.close()
    wait_until(lambda: "cache-breaker" not in [each.name for each in threading.enumerate()])


def open_up(breaker: Breaker) -> None:
    for _ in range(3):
        breaker.failed()
    assert breaker.is_open


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(SHORT / 2)


def test_it_opens_after_three_failures_in_a_row(breaker: Breaker) -> None:
    breaker.failed()
    breaker.failed()
    breaker.succeeded()
    breaker.failed()
    breaker.failed()
    assert not breaker.is_open
    breaker.failed()
    assert breaker.is_open


def test_its_own_thread_tries_until_the_server_answers_and_closes_it(
    breaker: Breaker, server: Server
) -> None:
    open_up(breaker)
    wait_until(lambda: server.probes >= 3)
    assert breaker.is_open
    server.answers = True
    wait_until(lambda: not breaker.is_open)
    assert server.probing_threads == {"cache-breaker"}


def test_many_threads_that_fail_at_once_open_it_once_and_start_one_thread(
    breaker: Breaker,
) -> None:
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda _: breaker.failed(), range(200)))
    assert breaker.openings == 1
    assert [each.name for each in threading.enumerate()].count("cache-breaker") == 1


def test_an_answer_from_before_the_failures_does_not_close_it(breaker: Breaker) -> None:
    open_up(breaker)
    breaker.succeeded()
    assert breaker.is_open


def test_each_change_is_one_line(breaker: Breaker, server: Server) -> None:
    with logged() as lines:
        for _ in range(10):
            breaker.failed()
        server.answers = True
        wait_until(lambda: not breaker.is_open)
        wait_until(lambda: len(lines.json) == 2)
        breaker.close()
    assert [line["message"] for line in lines.json] == [
        "cache breaker opened",
        "cache breaker closed",
    ]
    assert [line["level"] for line in lines.json] == ["warning", "info"]


def test_a_child_process_begins_with_it_closed(breaker: Breaker) -> None:
    open_up(breaker)
    with warnings.catch_warnings(action="ignore"):  # of threads, which is what this is about
        pid = os.fork()
        if pid == 0:
            os._exit(1 if breaker.is_open else 0)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def test_a_process_that_gets_no_thread_keeps_trying(
    breaker: Breaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Open without a thread it would stay open for ever, and the error would be a request's 500."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as limited:
        limited.setattr(threading.Thread, "start", refuse)
        for _ in range(3):
            breaker.failed()
    assert not breaker.is_open
    open_up(breaker)
    assert breaker.is_open


def test_a_healthy_command_costs_less_than_two_microseconds_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Bare(redis.Redis):
        def execute_command(self, *_: object, **__: object) -> None: ...

    bare, guarded = Bare(), GuardedRedis(connection_pool=GuardedPool())
    monkeypatch.setattr(redis.Redis, "execute_command", Bare.execute_command)

    def cost(client: redis.Redis) -> float:
        command = client.execute_command
        started = time.perf_counter()
        for _ in range(2000):
            command("GET", "key")
        return (time.perf_counter() - started) / 2000

    rounds = [(cost(bare), cost(guarded)) for _ in range(50)]
    # A busy machine only adds to a duration.
    added = min(pair[1] for pair in rounds) - min(pair[0] for pair in rounds)
    assert added < 2e-6, f"{added * 1e6:.2f} µs"
