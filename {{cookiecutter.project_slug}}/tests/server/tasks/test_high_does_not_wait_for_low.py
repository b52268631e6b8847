"""5,000 low tasks are waiting, and a high task starts within a second all the same."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from statistics import quantiles

import pytest

from scripts.servers import Valkey
from tests.broker import Queue
from tests.server.roles import Role
from tests.server.tasks.conftest import StartWorker
from tests.testapp.tasks import tell_delay, work_low

LOW = 5_000  # of 20 ms each
HIGH = 50
EVERY = 0.05  # seconds between two high tasks
BOUND = 1.0  # seconds until a high task starts, at the 95th percentile

Layout = Callable[[StartWorker], AbstractContextManager[Role]]


@contextmanager
def one_worker_of_all_queues(start_worker: StartWorker) -> Iterator[Role]:
    """`make run`, and a small deployment."""
    with start_worker(processes=2) as worker:
        yield worker


@contextmanager
def a_worker_for_each_queue(start_worker: StartWorker) -> Iterator[Role]:
    """Three deployments; yields the one whose lines matter."""
    with ExitStack() as stack:
        workers = {
            queue: stack.enter_context(start_worker(queues=queue, processes=2))
            for queue in ("low", "default", "high")
        }
        yield workers["high"]


def delays(worker: Role) -> list[float]:
    return [json.loads(line)["delay"] for line in worker.lines if '"begun"' in line]


@pytest.mark.parametrize("layout", [one_worker_of_all_queues, a_worker_for_each_queue])
def test_95_of_100_high_tasks_start_within_a_second(
    layout: Layout, start_worker: StartWorker, broker_server: Valkey
) -> None:
    for _ in range(LOW):
        work_low.delay()
    with layout(start_worker) as worker:
        for _ in range(HIGH):
            tell_delay.delay(time.time())
            time.sleep(EVERY)
        with closing(Queue(broker_server.url, "low")) as low:
            still_waiting = low.waiting
        worker.wait_until(lambda: len(delays(worker)) == HIGH)
        assert quantiles(delays(worker), n=20)[-1] < BOUND
    # The low ones were there all the time.
    assert still_waiting > LOW / 2
