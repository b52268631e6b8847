"""Tasks for tests; a worker loads them by `--include tests.testapp.tasks`."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import structlog
from celery import Task, shared_task
from django.db import connection

from core.executions.once import IdempotentTask, effect

logger = structlog.get_logger("testapp")


@shared_task
def say(word: str) -> str:
    logger.info("said", word=word)
    return word


@shared_task(queue="high")
def say_high(word: str) -> None:
    logger.info("said", word=word)


@shared_task(queue="low")
def say_low(word: str) -> None:
    logger.info("said", word=word)


@shared_task
def sleep(seconds: float, word: str) -> None:
    logger.info("asleep", word=word, worker_pid=os.getpid())
    time.sleep(seconds)
    logger.info("awake", word=word)


@shared_task(soft_time_limit=1, time_limit=2)
def outlast_soft_limit() -> None:
    time.sleep(30)


@shared_task(soft_time_limit=1, time_limit=2)
def outlast_hard_limit() -> None:
    for _ in range(30):
        try:
            time.sleep(1)
        except BaseException:
            logger.info("limit ignored")


@shared_task(default_retry_delay=1)
def kill_own_process(word: str) -> None:
    logger.info("dying", word=word)
    os.kill(os.getpid(), signal.SIGKILL)


@shared_task
def fail(word: str) -> None:
    raise ValueError(word)


@shared_task(bind=True, retry_backoff=1, retry_jitter=False, max_retries=2)
def fail_until(self: Task[..., Any], run: int) -> None:
    if self.request.retries < run:
        raise ConnectionResetError("not yet")
    logger.info("done at last", retries=self.request.retries)


@shared_task
def query() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        logger.info("queried", client=id(connection.connection))


@shared_task(bind=True)
def sleep_then_fail_once(self: Task[..., Any], seconds: float) -> None:
    if self.request.retries:
        return
    logger.info("asleep")
    time.sleep(seconds)
    raise ConnectionResetError("not yet")


@shared_task
def hold_connection(seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [seconds])


@shared_task(queue="low")
def work_low() -> None:
    time.sleep(0.02)


@shared_task(queue="high")
def tell_delay(sent: float) -> None:
    """Log how long it waited; `sent` is `time.time()` of the one who sent it."""
    logger.info("begun", delay=time.time() - sent)


def count(word: str) -> None:
    """An effect that can be counted: one row a word, in a table that is there anyway."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_lockout_counter AS counter (key, count, expires_at) "
            "VALUES (%s, 1, now() + interval '1 day') "
            "ON CONFLICT (key) DO UPDATE SET count = counter.count + 1",
            [f"effect:{word}"],
        )


@shared_task(base=IdempotentTask)
def count_once(word: str, seconds: float = 0.0) -> None:
    logger.info("counting", word=word, worker_pid=os.getpid())
    time.sleep(seconds)
    with effect():
        count(word)
    logger.info("counted", word=word)


@shared_task(base=IdempotentTask)
def refuse_until_mended(word: str) -> None:
    """Fails for good while the effect `mended` is missing."""
    with effect():
        count(word)
        if not counted("mended"):
            raise ValueError(word)


@shared_task(base=IdempotentTask)
def count_then_die(word: str) -> None:
    logger.info("dying", word=word)
    os.kill(os.getpid(), signal.SIGKILL)


def counted(word: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count FROM core_lockout_counter WHERE key = %s", [f"effect:{word}"])
        found = cursor.fetchone()
    return int(found[0]) if found else 0
