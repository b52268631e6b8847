"""What a crowd of clients, and a crowd of tasks, do to the connections of PostgreSQL."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from threading import Event, Thread

import psycopg
import pytest

from scripts.servers import PgBouncer, Postgres
from tests.broker import Queue, published, queue
from tests.repository.test_database_numbers import alias
from tests.repository.test_database_numbers import pooler as number
from tests.server.conftest import DATABASE, StartRole
from tests.server.crowd import Answer, ask, crowd, statuses
from tests.server.roles import Role
from tests.testapp.tasks import hold_connection

__all__ = ["published", "queue"]

LOADED = "tests.testapp.loaded:application"
WORKERS = f"{DATABASE}_worker"  # deploy/pgbouncer/pgbouncer.ini: service_worker
RETRANSMISSION = 1.0  # seconds until a client's first packet comes again
BOUND = 1.5  # times as slow as without tasks, the median request
ROUNDS = 3
TASKS = "tests.testapp.tasks"


@contextmanager
def connections_seen(postgres: Postgres) -> Iterator[list[int]]:
    """How many connections app has in PostgreSQL to the service's database, again and again."""
    seen: list[int] = []
    ended = Event()

    def look() -> None:
        count = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app' AND datname = %s"
        with psycopg.connect(postgres.url("postgres"), autocommit=True) as session:
            while not ended.wait(0.01):
                row = session.execute(count, [DATABASE]).fetchone()
                assert row
                seen.append(row[0])

    thread = Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join(10)


def pool_of(pgbouncer: PgBouncer, name: str) -> dict[str, int]:
    return next(pool for pool in pgbouncer.show("POOLS") if pool["database"] == name)


def test_of_500_clients_none_fails_and_postgresql_sees_the_pool_and_no_more(
    start_role: StartRole, pgbouncer: PgBouncer, postgres: Postgres
) -> None:
    pgbouncer.restart()
    # More request threads than the pool has connections, or they would be the bound.
    with (
        start_role("web", LOADED, env={"WEB_CONCURRENCY": "2", "THREADS": "32"}) as web,
        connections_seen(postgres) as seen,
    ):
        answers = asyncio.run(crowd(web.port, "/query/50/", clients=500, each=2))
        active = pool_of(pgbouncer, DATABASE)

    assert statuses(answers) == {200: 1000}
    assert number("default_pool_size") <= max(seen) <= number("max_db_connections")
    # It does not shrink and grow again, either.
    busy = seen[seen.index(max(seen)) :]
    assert min(busy) >= number("default_pool_size")
    assert active["sv_active"] <= number("max_db_connections")


def test_500_clients_at_once_are_taken_by_the_kernel_without_a_second_try(
    start_role: StartRole,
) -> None:
    with start_role("web", LOADED) as web:
        answers = asyncio.run(crowd(web.port, "/query/10/", clients=500))
    assert statuses(answers) == {200: 500}
    again = [answer for answer in answers if answer.connecting >= RETRANSMISSION]
    assert len(again) == 0


def test_200_clients_at_once_find_a_server_and_a_pool_that_have_just_started(
    start_role: StartRole, pgbouncer: PgBouncer
) -> None:
    with start_role("web", LOADED) as web:
        pgbouncer.restart()
        answers = asyncio.run(crowd(web.port, "/query/1/", clients=200))
    assert statuses(answers) == {200: 200}


def test_requests_fail_while_the_pooler_is_away_and_never_after_its_return(
    start_role: StartRole, pgbouncer: PgBouncer
) -> None:
    async def load(web: Role, ended: asyncio.Event) -> None:
        while not ended.is_set():
            answers.append(await ask(web.port, "/query/5/"))

    async def drill(web: Role) -> tuple[float, float]:
        ended = asyncio.Event()
        clients = [asyncio.create_task(load(web, ended)) for _ in range(16)]
        await asyncio.sleep(1)
        killed = time.monotonic()
        await asyncio.to_thread(pgbouncer.kill)
        await asyncio.sleep(2)
        await asyncio.to_thread(pgbouncer.start)
        returned = time.monotonic()
        await asyncio.sleep(2)
        ended.set()
        await asyncio.gather(*clients)
        return killed, returned

    answers: list[Answer] = []
    with start_role("web", LOADED) as web:
        killed, returned = asyncio.run(drill(web))

    before = [each for each in answers if each.started + each.seconds < killed]
    after = [each for each in answers if each.started > returned]
    assert statuses(before).keys() == statuses(after).keys() == {200}
    assert min(len(before), len(after)) > 50
    # While it is away each request has an answer at once, and the server goes on.
    between = [each for each in answers if killed < each.started < returned]
    assert sum(each.status in (500, 503) for each in between) > 50
    assert max(each.seconds for each in between) < 5


def test_a_pooler_that_was_replaced_between_two_requests_costs_none(
    start_role: StartRole, pgbouncer: PgBouncer
) -> None:
    with start_role("web", LOADED) as web:
        before = asyncio.run(crowd(web.port, "/query/5/", clients=32))  # every thread connects
        pgbouncer.kill()
        pgbouncer.start()
        after = asyncio.run(crowd(web.port, "/query/5/", clients=32))
    assert statuses(before) == statuses(after) == {200: 32}


@pytest.mark.parametrize("database", [WORKERS, DATABASE], ids=["own pool", "pool of the web"])
def test_200_tasks_at_once_slow_requests_down_only_without_a_pool_of_their_own(
    database: str, start_role: StartRole, postgres: Postgres, queue: Queue, tmp_path: Path
) -> None:
    def request() -> float:
        started = time.monotonic()
        assert web.get("/query/5/")[0].status == 200
        return time.monotonic() - started

    with (
        PgBouncer(tmp_path, postgres, aliases_of=DATABASE) as pooler,
        start_role("web", LOADED, env={"DATABASE_URL": pooler.url(database=DATABASE)}) as web,
        # Threads, because 200 processes are too much for a test; the pooler sees 200 clients.
        start_role(
            *("worker", "default", "--pool", "threads", "--concurrency", "200"),
            *("--include", TASKS),
            env={"DATABASE_URL": pooler.url(database=database)},
        ) as worker,
    ):
        samples = 100 if database == WORKERS else 3  # of 0.7 s each, the control's
        # Seconds: long enough that a worker on a busy machine fills the larger pool, too, and short
        # enough that nobody waits as long as query_wait_timeout.
        held = 0.1 if database == WORKERS else 0.2
        size = alias("service_worker", "pool_size")
        ratios: list[float] = []
        while not ratios or (ratios[-1] > BOUND and database == WORKERS):
            assert len(ratios) < ROUNDS, ratios
            alone = median(request() for _ in range(100))
            for _ in range(700):
                hold_connection.delay(held)
            worker.wait_until(lambda: pool_of(pooler, database)["cl_waiting"] > 50)
            ratios.append(median(request() for _ in range(samples)) / alone)
            if database == WORKERS:  # still full
                assert pool_of(pooler, database)["cl_waiting"] > 0
                # Between two tasks a connection is nobody's for a moment.
                worker.wait_until(lambda: pool_of(pooler, database)["sv_active"] == size, 2)
            worker.wait_until(lambda: not queue.messages and not queue.in_hand, 60)
        print("ratios", ratios)
    assert not any("task failed" in line for line in worker.lines)
    assert (ratios[-1] <= BOUND) == (database == WORKERS)
