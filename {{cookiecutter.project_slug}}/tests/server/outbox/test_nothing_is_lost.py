"""Kill anything between the commit and the effect, and count."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest

from scripts.servers import Valkey
from tests.broker import Queue
from tests.server.conftest import StartRole
from tests.server.outbox.conftest import Ask, Send, StartWorker

Effects = Callable[[str], dict[str, int]]
# Seconds. The lease's 30, the sweep's 5, and slack; the broker's visibility timeout is 900.
RESUMED = 60.0
FOLLOWS = 30.0  # seconds from a broker's return to every effect


def once(*words: str) -> dict[str, int]:
    return dict.fromkeys(words, 1)


def test_a_message_has_its_effect_once_and_leaves_the_outbox(
    start_role: StartRole, start_worker: StartWorker, send: Send, effects: Effects, ask: Ask
) -> None:
    with start_worker() as worker, start_role("relay") as relay:
        send("count_once", "plain")
        worker.wait_until(lambda: effects("plain") == once("plain"))
        relay.wait_until(lambda: ask("SELECT count(*) FROM core_outbox_message") == [(0,)])


def test_work_of_a_killed_worker_is_resumed_within_a_minute_and_done_once(
    start_role: StartRole, start_worker: StartWorker, send: Send, effects: Effects
) -> None:
    with start_role("relay"):
        with start_worker() as first:
            send("count_once", "killed", arguments=", 3.0")
            first.wait_for_line("counting")
            first.process.kill()
        killed = time.monotonic()
        with start_worker() as second:
            second.wait_until(lambda: effects("killed") == once("killed"), RESUMED)
            assert time.monotonic() - killed < RESUMED


def test_a_task_whose_process_is_killed_runs_again_soon_and_has_one_effect(
    start_role: StartRole, start_worker: StartWorker, send: Send, effects: Effects
) -> None:
    with start_role("relay"), start_worker() as worker:
        send("count_once", "child", arguments=", 2.0")
        worker.wait_for_line("counting")
        [line] = [line for line in worker.logs if line["message"] == "counting"]
        os.kill(line["worker_pid"], signal.SIGKILL)
        # Celery's pause of 10 s, which is not the lease's 30.
        worker.wait_until(lambda: effects("child") == once("child"), 25)
        worker.wait_for_line("task succeeded")


@pytest.mark.parametrize("fault", ["killed", "frozen"])
def test_a_broker_that_was_away_costs_no_effect(
    fault: str,
    start_role: StartRole,
    start_worker: StartWorker,
    send: Send,
    effects: Effects,
    broker_server: Valkey,
) -> None:
    words = [f"away-{fault}{number}" for number in range(5)]
    with start_role("relay") as relay, start_worker() as worker:
        broker_server.kill() if fault == "killed" else broker_server.freeze()
        send("count_once", *words)
        relay.wait_for_line("nothing is published", 15)
        broker_server.start() if fault == "killed" else broker_server.thaw()
        worker.wait_until(lambda: effects(f"away-{fault}") == once(*words), FOLLOWS)
        relay.wait_for_line("publishing again")


def test_a_relay_that_is_killed_is_replaced_by_the_other(
    start_role: StartRole, start_worker: StartWorker, send: Send, effects: Effects
) -> None:
    words = [f"two{number}" for number in range(20)]
    with start_worker(processes=2) as worker, start_role("relay") as one, start_role("relay"):
        send("count_once", *words[:10])
        one.process.kill()
        send("count_once", *words[10:])
        worker.wait_until(lambda: effects("two") == once(*words))


def test_a_message_that_arrives_ten_times_has_one_effect(
    start_role: StartRole,
    start_worker: StartWorker,
    send: Send,
    effects: Effects,
    queue: Queue,
    ask: Ask,
) -> None:
    send("count_once", "ten", arguments=", 0.5")
    with start_role("relay") as relay:
        for number in range(1, 11):
            relay.wait_until(lambda n=number: len(queue.messages) == n)  # type: ignore[misc]
            ask("UPDATE core_outbox_message SET delivered_at = NULL WHERE deliveries < 10")
    with start_worker(processes=4) as worker:
        worker.wait_until(lambda: queue.messages == [] and queue.in_hand == 0)
        assert effects("ten") == once("ten")
        skipped = [line for line in worker.logs if line["message"] == "task skipped"]
        assert len(skipped) == 9
