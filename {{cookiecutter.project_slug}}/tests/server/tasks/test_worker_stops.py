"""A worker that is asked to stop loses nothing and does not keep its host waiting."""

from __future__ import annotations

import signal
import time

import pytest

from scripts.servers import Valkey
from tests.broker import Queue
from tests.server.tasks.conftest import TASKS, StartWorker
from tests.testapp.tasks import say, sleep

IMPATIENT = TASKS + ",tests.testapp.impatient"  # 2 s instead of 30
SLACK = 8.0  # seconds for the processes of a busy machine to end


def test_it_finishes_its_task_and_exits_0_as_soon_as_that_is_done(
    start_worker: StartWorker, queue: Queue
) -> None:
    with start_worker() as worker:
        sleep.delay(4, "first")
        worker.wait_for_line("asleep")
        sleep.delay(1, "not begun")
        started = time.monotonic()
        worker.signal(signal.SIGTERM)
        assert worker.wait_for_exit(4 + SLACK) == 0, worker.output
        assert time.monotonic() - started > 2
    assert [line["word"] for line in worker.logs if line["message"] == "awake"] == ["first"]
    assert [message["args"] for message in queue.messages] == [[1, "not begun"]]
    assert queue.in_hand == 0


def test_without_a_task_it_exits_at_once(start_worker: StartWorker) -> None:
    with start_worker() as worker:
        # Its loop turns: it is idle, and not half-way through its start.
        say.delay("hello")
        worker.wait_for_line("task succeeded")
        worker.signal(signal.SIGTERM)
        assert worker.wait_for_exit(SLACK) == 0, worker.output


def test_a_task_that_takes_longer_is_returned_and_the_next_worker_runs_it(
    start_worker: StartWorker, queue: Queue
) -> None:
    with start_worker(include=IMPATIENT) as worker:
        result = sleep.delay(12, "long")
        worker.wait_for_line("asleep")
        worker.signal(signal.SIGTERM)
        assert worker.wait_for_exit(2 + SLACK) == 0, worker.output
    assert "awake" not in [line["message"] for line in worker.logs]
    assert [message["id"] for message in queue.messages] == [result.id]
    assert queue.in_hand == 0

    with start_worker() as worker:
        worker.wait_for_line("awake")
        worker.wait_for_line("task succeeded")
    assert queue.messages == []


def test_what_it_holds_for_later_is_returned_as_well(
    start_worker: StartWorker, queue: Queue
) -> None:
    with start_worker() as worker:
        later = say.apply_async(("later",), countdown=300)
        worker.wait_until(lambda: queue.in_hand == 1)
        worker.signal(signal.SIGTERM)
        assert worker.wait_for_exit(SLACK) == 0, worker.output
    assert [message["id"] for message in queue.messages] == [later.id]


def test_a_second_signal_changes_nothing(start_worker: StartWorker, queue: Queue) -> None:
    with start_worker() as worker:
        sleep.delay(3, "first")
        worker.wait_for_line("asleep")
        worker.signal(signal.SIGTERM)
        worker.wait_for_line("Warm shutdown")
        # Celery's handler goes on for some microseconds after its line, with a lock that a second
        # signal in that instant would wait for in vain. No supervisor is that fast.
        handled = time.monotonic() + 0.5
        worker.wait_until(lambda: time.monotonic() > handled)
        worker.signal(signal.SIGTERM)
        assert worker.wait_for_exit(3 + SLACK) == 0, worker.output
    assert [line["word"] for line in worker.logs if line["message"] == "awake"] == ["first"]
    assert queue.in_hand == 0


@pytest.mark.parametrize("how", ["kill", "freeze"])
def test_it_stops_within_the_bound_although_the_broker_is_away(
    how: str, start_worker: StartWorker, broker_server: Valkey
) -> None:
    with start_worker(include=IMPATIENT) as worker:
        sleep.delay(30, "long")
        worker.wait_for_line("asleep")
        getattr(broker_server, how)()
        worker.signal(signal.SIGTERM)
        worker.wait_for_exit(2 + 10 + SLACK)
    assert worker.logs
