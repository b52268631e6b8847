"""What a worker cannot run is a row, and the worker lives."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import redis
from kombu import Connection

from scripts.servers import Valkey
from tests.broker import Queue
from tests.server.conftest import StartRole
from tests.server.outbox.conftest import Ask, Send, StartWorker
from tests.testapp import tasks

Manage = Callable[..., subprocess.CompletedProcess[str]]
LETTERS = "SELECT kind, task, queue, reason FROM core_deadletters_deadletter ORDER BY id"


def raw(broker: Valkey, body: str, **headers: Any) -> None:
    """Put a message into the queue `default`, past Celery."""
    with Connection(broker.url) as connection:
        connection.Producer().publish(
            body,
            routing_key="default",
            headers=headers,
            content_type="application/json",
            content_encoding="utf-8",
        )


def test_a_task_that_fails_for_good_is_kept_with_its_reason_and_can_be_replayed(
    start_role: StartRole,
    start_worker: StartWorker,
    send: Send,
    ask: Ask,
    effects: Callable[[str], dict[str, int]],
    manage: Manage,
) -> None:
    ask("DELETE FROM core_lockout_counter WHERE key = 'effect:mended'")
    with start_role("relay"), start_worker() as worker:
        send("refuse_until_mended", "hard")
        worker.wait_until(lambda: len(ask(LETTERS)) == 1)
        [(kind, task, queue, reason)] = ask(LETTERS)
        assert (kind, queue, reason) == ("failed", "default", "ValueError: hard")
        assert task == tasks.refuse_until_mended.name
        [(number, trace)] = ask("SELECT id, traceback FROM core_deadletters_deadletter")
        assert "in refuse_until_mended" in trace
        assert effects("hard") == {}

        listed = manage("deadletter", "list")
        assert f"{number}\t" in listed.stdout
        assert "1 dead letters." in listed.stdout
        ask(
            "INSERT INTO core_lockout_counter (key, count, expires_at) "
            "VALUES ('effect:mended', 1, now() + interval '1 day')"
        )
        extra = {"DJANGO_SETTINGS_MODULE": "config.settings.production"}
        done = manage("shell", "-c", f"import {tasks.__name__}\n{REPLAY % number}", env=extra)
        assert done.returncode == 0, done.stderr
        worker.wait_until(lambda: effects("hard") == {"hard": 1})
        assert ask("SELECT count(*) FROM core_deadletters_deadletter") == [(1,)]
        assert "0 dead letters." in manage("deadletter", "list").stdout


# The command, in a process that knows the tasks of the tests as a service knows its own.
REPLAY = "from django.core.management import call_command; call_command('deadletter', 'replay', %s)"


def test_a_task_that_ignores_its_limits_is_one_letter(
    start_worker: StartWorker, send: Send, ask: Ask
) -> None:
    with start_worker() as worker:
        result = tasks.outlast_hard_limit.delay()
        worker.wait_for_line("dead letter")
        tasks.say.delay("hello")
        worker.wait_for_line("said")
    [(_, task, _, reason)] = ask(LETTERS)
    assert (task, "TimeLimitExceeded" in reason) == (tasks.outlast_hard_limit.name, True)
    assert ask("SELECT message_id, body FROM core_deadletters_deadletter") == [
        (result.id, "[[], {}]")
    ]


def test_an_unknown_task_is_kept_and_the_worker_goes_on(
    start_worker: StartWorker, queue: Queue, send: Send, ask: Ask, broker_server: Valkey
) -> None:
    body = json.dumps([["word"], {}, {}])
    with start_worker() as worker:
        raw(broker_server, body, id="message-1", task="apps.gone.tasks.do", lang="py")
        worker.wait_until(lambda: len(ask(LETTERS)) == 1)
        tasks.say.delay("hello")
        worker.wait_for_line("said")
    [(kind, task, where, reason)] = ask(LETTERS)
    assert (kind, task, where) == ("unknown", "apps.gone.tasks.do", "default")
    assert "knows the task apps.gone.tasks.do" in reason
    assert ask("SELECT message_id FROM core_deadletters_deadletter") == [("message-1",)]
    assert (queue.messages, queue.in_hand) == ([], 0)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ("{not json", {}),
        ('{"no": "task"}', {}),
        ("[1, 2", {"id": "1", "task": tasks.say.name, "lang": "py"}),
        ('"nothing"', {"id": "1", "task": tasks.say.name, "lang": "py"}),
        ("\0\0", {}),
    ],
)
def test_garbage_is_kept_and_the_worker_goes_on(
    body: str,
    headers: dict[str, str],
    start_worker: StartWorker,
    queue: Queue,
    send: Send,
    ask: Ask,
    broker_server: Valkey,
) -> None:
    with start_worker() as worker:
        raw(broker_server, body, **headers)
        tasks.say.delay("hello")
        worker.wait_for_line("said")
        worker.wait_until(lambda: len(ask(LETTERS)) == 1)
    assert (queue.messages, queue.in_hand) == ([], 0)


def test_entries_of_a_queue_that_are_no_messages_are_kept_and_the_worker_goes_on(
    start_worker: StartWorker, queue: Queue, send: Send, ask: Ask, broker_server: Valkey
) -> None:
    client = redis.Redis.from_url(broker_server.url)
    with start_worker() as worker:
        client.lpush("default", "plain bytes", "[1, 2]", b"\xff\x00")
        tasks.say.delay("hello")
        worker.wait_for_line("said")
        worker.wait_until(lambda: len(ask(LETTERS)) == 3)
    client.close()
    assert {kind for kind, *_ in ask(LETTERS)} == {"garbage"}


def test_replaying_refuses_what_cannot_be_sent(manage: Manage, send: Send, ask: Ask) -> None:
    ask(
        "INSERT INTO core_deadletters_deadletter (kind, message_id, task, queue, body, headers, "
        "reason, traceback) VALUES ('unknown', '1', 'apps.gone.do', '', '[[], {}]', '{}', 'x', ''),"
        "('garbage', '', '', '', 'y', '{}', 'x', '')"
    )
    [(first,), (second,)] = ask("SELECT id FROM core_deadletters_deadletter ORDER BY id")
    done = manage("deadletter", "replay", str(first), str(second))
    assert done.returncode == 1
    assert "no task apps.gone.do" in done.stderr
    assert "no message of ours" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Say which" in manage("deadletter", "replay").stderr
    assert "No dead letter has the id 0" in manage("deadletter", "show", "0").stderr
