"""One message, one effect: whoever runs it, however often it comes."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from typing import Any

import pytest
from django.db import connection

from core.executions import leases, once
from core.executions.models import Execution
from core.executions.once import GivenUpError, effect, is_dead
from tests.parallel import at_once
from tests.testapp.tasks import count_once, counted

pytestmark = pytest.mark.django_db(transaction=True)
MESSAGE: dict[str, Any] = {
    "task": count_once.name,
    "queue": "default",
    "body": '[["word"], {}]',
    "headers": "{}",
}


def deliver(message_id: str = "message-1", word: str = "word", **options: Any) -> None:
    count_once.apply((word,), task_id=message_id, **options)


def test_ten_deliveries_at_once_have_one_effect() -> None:
    results = at_once(10, lambda _: deliver())
    assert results == [None] * 10
    assert counted("word") == 1


def test_a_later_delivery_has_none_and_another_message_has_its_own() -> None:
    deliver()
    deliver()
    assert counted("word") == 1
    deliver("message-2")
    assert counted("word") == 2


def test_the_key_of_the_header_counts_before_the_id() -> None:
    for message_id in ("message-1", "message-2"):
        deliver(message_id, headers={once.KEY_HEADER: "tick@1"})
    assert counted("word") == 1
    assert Execution.objects.get().key == "tick@1"


def test_a_message_that_another_worker_holds_is_skipped() -> None:
    leases.claim("message-1", holder="elsewhere:1:x", **MESSAGE)
    deliver()
    assert counted("word") == 0
    assert Execution.objects.get().holder == "elsewhere:1:x"


def test_one_whose_process_on_this_machine_is_gone_is_taken_over_at_once() -> None:
    child = subprocess.Popen(["true"])
    child.wait()
    gone = f"{socket.gethostname()}:{child.pid}:x"
    assert is_dead(gone)
    assert not is_dead(f"{socket.gethostname()}:{os.getpid()}:x")
    assert not is_dead(f"elsewhere:{child.pid}:x")
    leases.claim("message-1", holder=gone, **MESSAGE)
    deliver()
    assert counted("word") == 1
    assert Execution.objects.get().losses == 1


def test_a_run_that_lost_its_lease_has_no_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    run = count_once.run

    def robbed(word: str) -> None:
        Execution.objects.update(holder="thief:1:x")
        run(word)

    monkeypatch.setattr(count_once, "run", robbed)
    deliver()
    assert counted("word") == 0
    assert Execution.objects.get().completed_at is None
    assert Execution.objects.get().holder == "thief:1:x"


def test_the_lease_is_renewed_while_the_task_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "RENEW", 0.05)
    renewed = threading.Event()
    renew = leases.renew

    def seen(key: str, holder: str) -> bool:
        held = renew(key, holder)
        renewed.set()
        return held

    monkeypatch.setattr(leases, "renew", seen)
    monkeypatch.setattr(count_once, "run", lambda word: renewed.wait(10))
    deliver()
    assert renewed.is_set()


def test_the_third_death_is_the_last() -> None:
    for number in range(3):
        leases.claim("message-1", holder=f"dead:{number}:x", **MESSAGE)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE core_execution SET lease_until = now() - interval '1 s'")
    with pytest.raises(GivenUpError, match="3 processes died"):
        count_once.apply(("word",), task_id="message-1", throw=True)


def test_a_task_without_an_effect_is_done_when_it_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = []
    monkeypatch.setattr(count_once, "run", lambda word: runs.append(word))
    deliver()
    deliver()
    assert runs == ["word"]


def test_two_effects_in_one_run_are_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    def twice(word: str) -> None:
        for _ in range(2):
            with effect():
                pass

    monkeypatch.setattr(count_once, "run", twice)
    with pytest.raises(RuntimeError, match="One effect"):
        count_once.apply(("word",), task_id="message-1", throw=True)


def test_called_as_a_function_it_keeps_no_key() -> None:
    count_once("word")
    count_once("word")
    assert counted("word") == 2
    assert not Execution.objects.exists()
