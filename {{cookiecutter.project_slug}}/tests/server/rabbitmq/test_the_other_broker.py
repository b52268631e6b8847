"""What the service promises of its tasks holds on RabbitMQ's quorum queues as it does on Redis."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable

import pytest
from kombu import Connection

from scripts.servers import RabbitMQ
from tests.server.conftest import StartRole
from tests.server.outbox.conftest import Ask, Send, StartWorker
from tests.server.outbox.test_nothing_is_lost import FOLLOWS, RESUMED, once
from tests.server.roles import Role
from tests.server.tasks.test_web_without_a_broker import LOADED, assert_bounded, order

Effects = Callable[[str], dict[str, int]]
Manage = Callable[..., subprocess.CompletedProcess[str]]
LATE_AND_NOW = """
from tests.testapp.tasks import say
say.apply_async(("late",), countdown=10, publish_now=True)
say.apply_async(("now",), publish_now=True)
"""
LETTERS = "SELECT kind, task FROM core_deadletters_deadletter ORDER BY id"

DEPTH = """
from core.admission.depth import Depth
from tests.testapp.tasks import say_low
before = Depth("low").read(10)
for word in "ab":
    say_low.apply_async((word,), publish_now=True)
print(before, Depth("low").read(10))
"""


def said(worker: Role) -> list[str]:
    return [line["word"] for line in worker.logs if line["message"] == "said"]


def test_a_message_has_its_effect_once_by_a_quorum_queue_and_leaves_the_outbox(
    start_role: StartRole,
    start_worker: StartWorker,
    send: Send,
    effects: Effects,
    ask: Ask,
    rabbitmq_server: RabbitMQ,
) -> None:
    with start_worker() as worker, start_role("relay") as relay:
        send("count_once", "rabbit-plain")
        worker.wait_until(lambda: effects("rabbit-plain") == once("rabbit-plain"))
        relay.wait_until(lambda: ask("SELECT count(*) FROM core_outbox_message") == [(0,)])
    assert rabbitmq_server.queue_types("high", "default", "low") == {"quorum"}


@pytest.mark.parametrize("fault", ["killed", "frozen"])
def test_a_broker_that_was_away_costs_no_effect(
    fault: str,
    start_role: StartRole,
    start_worker: StartWorker,
    send: Send,
    effects: Effects,
    rabbitmq_server: RabbitMQ,
) -> None:
    words = [f"rabbit-{fault}{number}" for number in range(5)]
    with start_role("relay") as relay, start_worker() as worker:
        rabbitmq_server.kill() if fault == "killed" else rabbitmq_server.freeze()
        send("count_once", *words)
        relay.wait_for_line("nothing is published", 20)
        rabbitmq_server.start() if fault == "killed" else rabbitmq_server.thaw()
        worker.wait_until(lambda: effects(f"rabbit-{fault}") == once(*words), FOLLOWS)


def test_work_of_a_killed_worker_is_resumed_within_a_minute_and_done_once(
    start_role: StartRole, start_worker: StartWorker, send: Send, effects: Effects
) -> None:
    with start_role("relay"):
        with start_worker() as first:
            send("count_once", "rabbit-worker", arguments=", 3.0")
            first.wait_for_line("counting")
            first.process.kill()
        killed = time.monotonic()
        with start_worker() as second:
            second.wait_until(lambda: effects("rabbit-worker") == once("rabbit-worker"), RESUMED)
            assert time.monotonic() - killed < RESUMED


def test_a_task_that_waits_for_its_time_holds_no_place_of_the_worker(
    start_worker: StartWorker, manage: Manage
) -> None:
    with start_worker() as worker:
        done = manage("shell", "-c", LATE_AND_NOW)
        assert done.returncode == 0, done.stderr
        worker.wait_until(lambda: said(worker) == ["now"])
        worker.wait_until(lambda: said(worker) == ["now", "late"], 30)


def test_what_a_worker_cannot_run_is_a_dead_letter_and_the_worker_lives(
    start_worker: StartWorker, send: Send, ask: Ask, rabbitmq_server: RabbitMQ
) -> None:
    send("count_once")  # empties the tables
    with start_worker() as worker, Connection(rabbitmq_server.url) as connection:
        for body, headers in (
            ("{", {}),
            ('["not", "a", "task"]', {"task": "gone.away", "id": "one"}),
            ("[[], {}, {}]", {"task": "gone.away", "id": "two"}),
        ):
            connection.Producer().publish(
                body,
                exchange="tasks",
                routing_key="default",
                headers=headers,
                content_type="application/json",
                content_encoding="utf-8",
            )
        worker.wait_until(lambda: len(ask(LETTERS)) == 3)
        assert sorted(ask(LETTERS)) == [("garbage", ""), *[("unknown", "gone.away")] * 2]
        assert worker.process.running


def test_a_request_that_finds_it_frozen_takes_300_ms_more_at_most(
    start_role: StartRole, rabbitmq_server: RabbitMQ
) -> None:
    with start_role("web", LOADED) as web:
        order(web, 3)
        rabbitmq_server.freeze()
        assert_bounded(web)


def test_the_depth_of_a_queue_is_told_also_of_one_that_nobody_declared_yet(
    manage: Manage, rabbitmq_server: RabbitMQ
) -> None:
    rabbitmq_server.delete("low")
    done = manage("shell", "-c", DEPTH)
    assert done.stdout.endswith("\n0 2\n"), done.stdout + done.stderr


def test_the_heartbeat_tells_whether_it_answers(
    start_role: StartRole, rabbitmq_server: RabbitMQ
) -> None:
    with start_role("web") as web:
        assert json.loads(web.get("/__heartbeat__")[1])["checks"]["broker"] == "ok"
        rabbitmq_server.kill()
        web.wait_until(
            lambda: json.loads(web.get("/__heartbeat__")[1])["checks"]["broker"] == "error"
        )
