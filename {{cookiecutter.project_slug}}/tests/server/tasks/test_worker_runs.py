"""What a worker does with tasks that go wrong, and with servers that are away."""

from __future__ import annotations

import signal
import time

import pytest
import redis

from config.celery import app
from scripts.servers import PgBouncer, Valkey
from tests.broker import Queue
from tests.server.conftest import StartRole
from tests.server.roles import Role
from tests.server.tasks.conftest import StartWorker
from tests.testapp import tasks
from tests.testapp.tasks import say


def messages(worker: Role, task_id: str) -> list[str]:
    return [line["message"] for line in worker.logs if line.get("task_id") == task_id]


def test_a_task_whose_process_is_killed_runs_three_times_and_then_fails(
    start_worker: StartWorker, queue: Queue
) -> None:
    with start_worker() as worker:
        result = tasks.kill_own_process.delay("poison")
        worker.wait_for_line("task failed", 30)
        # The worker is whole: the next task runs.
        say.delay("hello")
        worker.wait_for_line("said")
    told = messages(worker, result.id)
    assert told.count("dying") == 3
    assert told.count("task retried") == 2
    assert told.count("task failed") == 1
    [failed] = [line for line in worker.logs if line["message"] == "task failed"]
    assert "WorkerLostError" in failed["exception"]
    # Celery's own lines about it are left out: each event is told once.
    tellers = {line["logger"] for line in worker.logs if result.id in str(line)}
    assert tellers == {"core.tasks", "core.deadletters", "testapp"}
    assert sum("WorkerLostError" in line.get("exception", "") for line in worker.logs) == 1
    assert (queue.messages, queue.in_hand) == ([], 0)


def test_a_task_that_the_release_no_longer_has_is_told_and_leaves_the_queue(
    start_worker: StartWorker, queue: Queue
) -> None:
    app.send_task("apps.gone.tasks.forgotten", queue="default")
    assert len(queue.messages) == 1
    with start_worker() as worker:
        worker.wait_for_line("Received unregistered task of type 'apps.gone.tasks.forgotten'")
        say.delay("hello")
        worker.wait_for_line("said")
    assert (queue.messages, queue.in_hand) == ([], 0)


def test_a_worker_of_an_unknown_queue_does_not_start(start_role: StartRole) -> None:
    with start_role("worker", "hihg", ready=lambda role: True) as worker:
        assert worker.wait_for_exit() != 0
    assert any("hihg" in line for line in worker.lines)


def test_the_soft_limit_ends_a_task_with_its_traceback(start_worker: StartWorker) -> None:
    with start_worker() as worker:
        result = tasks.outlast_soft_limit.delay()
        worker.wait_for_line("task failed")
    [failed] = [line for line in worker.logs if line["message"] == "task failed"]
    assert failed["task_id"] == result.id
    assert "SoftTimeLimitExceeded" in failed["exception"]
    assert "in outlast_soft_limit" in failed["exception"]
    assert 900 < failed["duration_ms"] < 2000


def test_the_hard_limit_kills_a_task_that_ignores_the_soft_one(
    start_worker: StartWorker, queue: Queue
) -> None:
    with start_worker() as worker:
        result = tasks.outlast_hard_limit.delay()
        worker.wait_for_line("task failed")
        say.delay("hello")
        worker.wait_for_line("said")
    told = messages(worker, result.id)
    assert told.count("limit ignored") >= 1
    assert told.count("task failed") == 1
    assert (queue.messages, queue.in_hand) == ([], 0)


def test_a_worker_of_all_queues_empties_high_before_low(start_worker: StartWorker) -> None:
    for number in range(10):
        tasks.say_low.delay(f"low {number}")
    for number in range(3):
        tasks.say_high.delay(f"high {number}")
    with start_worker() as worker:
        worker.wait_for_line("low 9")
    words = [line["word"] for line in worker.logs if line["message"] == "said"]
    assert words[:3] == ["high 0", "high 1", "high 2"]


def test_a_worker_of_one_queue_leaves_the_others_alone(
    start_worker: StartWorker, queue: Queue
) -> None:
    say.delay("not mine")
    with start_worker(queues="high") as worker:
        tasks.say_high.delay("mine")
        worker.wait_for_line("said")
    assert queue.words == ["not mine"]


def test_a_failed_task_prints_its_traceback_once(start_worker: StartWorker) -> None:
    with start_worker() as worker:
        tasks.fail.delay("this very failure")
        worker.wait_for_line("task failed")
        say.delay("hello")
        worker.wait_for_line("task succeeded")
    tracebacks = [line for line in worker.lines if "ValueError: this very failure" in line]
    assert len(tracebacks) == 1


def test_a_retry_has_the_request_id_and_the_task_id_of_the_first_run(
    start_worker: StartWorker,
) -> None:
    from core.requests.context import bind_request_id, clear_context

    bind_request_id("request-0001")
    result = tasks.fail_until.delay(2)
    clear_context()
    with start_worker() as worker:
        worker.wait_for_line("done at last")
        worker.wait_for_line("task succeeded")
    lines = [line for line in worker.logs if line.get("task_id") == result.id]
    assert [line["message"] for line in lines].count("task started") == 3
    assert {line["request_id"] for line in lines} == {"request-0001"}


def test_a_task_whose_retry_the_broker_refuses_is_not_lost(
    start_worker: StartWorker, queue: Queue, broker_server: Valkey
) -> None:
    broker = redis.Redis.from_url(broker_server.url)
    with start_worker() as worker:
        tasks.sleep_then_fail_once.delay(2)
        worker.wait_for_line("asleep")
        broker.config_set("maxmemory", 1)  # every write is refused, as on a full machine
        try:
            worker.wait_for_line("OutOfMemoryError", 30)
            time.sleep(10)  # past the six seconds for which a refused retry is repeated
        finally:
            broker.config_set("maxmemory", 0)
            broker.close()
        say.delay("hello")
        worker.wait_for_line("said", 40)  # it lives, and works again when there is room
        # Run again at once, or by the visibility timeout.
        worker.wait_until(
            lambda: sum("asleep" in line for line in worker.lines) == 2 or queue.in_hand == 1
        )


def test_the_database_connection_is_kept_from_one_task_to_the_next(
    start_worker: StartWorker,
) -> None:
    with start_worker() as worker:
        for _ in range(3):
            tasks.query.delay()
        worker.wait_until(lambda: sum("queried" in line for line in worker.lines) == 3)
    assert len({line["client"] for line in worker.logs if line["message"] == "queried"}) == 1


def test_a_connection_that_broke_between_two_tasks_is_replaced(
    start_worker: StartWorker, pgbouncer: PgBouncer
) -> None:
    with start_worker() as worker:
        tasks.query.delay()
        worker.wait_for_line("queried")
        pgbouncer.restart()
        tasks.query.delay()
        worker.wait_until(lambda: sum("queried" in line for line in worker.lines) == 2)
    assert not any(line["message"] in ("task failed", "task retried") for line in worker.logs)


def test_it_starts_while_the_database_is_away(
    start_worker: StartWorker, pgbouncer: PgBouncer
) -> None:
    pgbouncer.stop()
    with start_worker() as worker:
        say.delay("hello")
        worker.wait_for_line("said")


def test_it_waits_for_a_broker_that_is_away_at_its_start(
    start_worker: StartWorker, broker_server: Valkey
) -> None:
    broker_server.stop()
    with start_worker(ready=lambda role: any("Cannot connect" in line for line in role.lines)) as (
        worker
    ):
        broker_server.start()
        worker.wait_for_line(" ready.", 30)
        say.delay("hello")
        worker.wait_for_line("said")
        worker.signal(signal.SIGTERM)
        worker.wait_for_exit()
    assert worker.logs


@pytest.mark.parametrize("how", ["kill", "freeze"])
def test_it_goes_on_when_the_broker_returns(
    how: str, start_worker: StartWorker, broker_server: Valkey
) -> None:
    with start_worker() as worker:
        say.delay("before")
        worker.wait_for_line("said")
        getattr(broker_server, how)()
        worker.wait_for_line("Connection to broker lost", 60)
        broker_server.thaw()
        broker_server.start()
        say.apply_async(("after",), publish_now=True)
        worker.wait_for_line(lambda line: "said" in line and "after" in line, 60)
    assert worker.logs
