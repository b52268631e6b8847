"""The way of a message through real processes: who sends it, who counts what came of it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.broker import published, queue
from tests.server.tasks.conftest import StartWorker, start_worker

__all__ = ["Ask", "Send", "StartWorker", "published", "queue", "start_worker"]

Ask = Callable[..., list[tuple[Any, ...]]]
Send = Callable[..., None]


@pytest.fixture
def ask(server_database: dict[str, str]) -> Ask:
    """Rows of a statement in the database of the processes."""

    def run(statement: str, *values: Any) -> list[tuple[Any, ...]]:
        url = server_database["DATABASE_URL"]
        with psycopg.connect(url, prepare_threshold=None, autocommit=True) as new:
            cursor = new.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def effects(ask: Ask) -> Callable[[str], dict[str, int]]:
    """How often each word that begins so has had its effect."""

    def count(beginning: str) -> dict[str, int]:
        rows = ask(
            "SELECT key, count FROM core_lockout_counter WHERE key LIKE %s",
            f"effect:{beginning}%",
        )
        return {key.removeprefix("effect:"): number for key, number in rows}

    return count


@pytest.fixture
def send(manage: Callable[..., subprocess.CompletedProcess[str]], ask: Ask) -> Send:
    """`send("count_once", "word", …)`: each word a message, in one transaction of a process."""
    for table in ("core_outbox_message", "core_execution", "core_deadletters_deadletter"):
        ask(f"DELETE FROM {table}")  # noqa: S608 a name of ours

    def run(task: str, *words: str, arguments: str = "") -> None:
        statement = (
            "from django.db import transaction\n"
            "from core import outbox\n"
            f"from tests.testapp.tasks import {task}\n"
            "with transaction.atomic():\n"
            f"    for word in {words!r}:\n"
            f"        outbox.send({task}, word{arguments})\n"
        )
        done = manage("shell", "-c", statement)
        assert done.returncode == 0, done.stderr

    return run
