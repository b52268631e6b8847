"""The service's way to PostgreSQL: as app, through PgBouncer in transaction mode."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, connection, connections

from scripts.servers import PgBouncer, Postgres, ServerError
from tests.repository.test_database_numbers import alias
from tests.repository.test_database_numbers import pooler as number

THREADS = 20
ROUNDS = 40  # 800 iterations in all

pytestmark = pytest.mark.usefixtures("pgbouncer")  # skipped where PgBouncer is not installed


@pytest.fixture
def small_pool(servers: object, postgres: Postgres, tmp_path: Path) -> Iterator[PgBouncer]:
    """A pool of three for twenty clients: everybody gets somebody else's connection."""
    sizes = {"default_pool_size": 3, "reserve_pool_size": 0, "max_db_connections": 3}
    with PgBouncer(tmp_path / "pgbouncer", postgres, settings=sizes) as pooler:
        yield pooler


def connect(pooler: PgBouncer) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(pooler.url(), autocommit=True, prepare_threshold=None)


def iterate_from_all_threads() -> list[DatabaseError]:
    """`.iterator()` over a few chunks, 800 times on 20 threads; the failures."""
    failures: list[DatabaseError] = []

    def work() -> None:
        for _ in range(ROUNDS):
            try:
                assert list(ContentType.objects.iterator(chunk_size=2))
            except DatabaseError as error:
                failures.append(error)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


@pytest.mark.parametrize("server_side_cursors", [False, True])
@pytest.mark.django_db(transaction=True)
def test_iterator_fails_never_and_only_because_server_side_cursors_are_off(
    small_pool: PgBouncer, monkeypatch: pytest.MonkeyPatch, server_side_cursors: bool
) -> None:
    ContentType.objects.get_or_create(app_label="a", model="a")
    settings = {**connections.settings["default"], "PORT": small_pool.port}
    if server_side_cursors:
        settings["DISABLE_SERVER_SIDE_CURSORS"] = False
    # For connections that are opened from now on: each thread's own.
    monkeypatch.setitem(connections.settings, "default", settings)

    failures = iterate_from_all_threads()

    if server_side_cursors:  # the control: the same load with Django's default
        assert len(failures) > THREADS * ROUNDS / 2
    else:
        assert failures == []


def test_a_setting_of_one_client_is_not_seen_by_the_next(small_pool: PgBouncer) -> None:
    with connect(small_pool) as first, connect(small_pool) as second:
        for _ in range(10):  # whichever of the three connections each gets
            first.execute("SET statement_timeout = 0")
            first.execute("SET search_path = pg_catalog")
            assert second.execute("SHOW statement_timeout").fetchone() == ("5s",)
            assert second.execute("SHOW search_path").fetchone() == ('"$user", public',)


def test_a_session_lock_does_not_outlive_its_transaction(small_pool: PgBouncer) -> None:
    with connect(small_pool) as first, connect(small_pool) as second:
        first.execute("SELECT pg_advisory_lock(1)")
        count = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        assert second.execute(count).fetchone() == (0,)


def test_without_the_reset_a_setting_leaks(postgres: Postgres, tmp_path: Path) -> None:
    """The control: what server_reset_query_always = 1 is there for."""
    settings = {"server_reset_query_always": 0, "default_pool_size": 1, "max_db_connections": 1}
    with (
        PgBouncer(tmp_path, postgres, settings=settings) as pooler,
        connect(pooler) as first,
        connect(pooler) as second,
    ):
        first.execute("SET statement_timeout = 0")
        assert second.execute("SHOW statement_timeout").fetchone() == ("0",)


@pytest.mark.django_db(transaction=True)
def test_a_connection_of_django_costs_no_statement_of_its_own(postgres: Postgres) -> None:
    """Time zone, encoding and name are the role's already, so PgBouncer has nothing to repeat."""
    postgres.psql("ALTER ROLE app SET log_statement = 'all'")
    try:
        connection.close()
        gone = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'app'"
        postgres.psql(gone)  # waits for their end: a dying one could still be given to us
        size = postgres.log.stat().st_size
        for _ in range(3):
            assert ContentType.objects.filter(pk=-1).first() is None
        connection.close()
    finally:
        postgres.psql("ALTER ROLE app RESET log_statement")
    logged = postgres.log.read_text()[size:].splitlines()
    statements = [line.partition("statement: ")[2] for line in logged if "statement: " in line]
    assert len([line for line in statements if line.startswith("SELECT")]) == 3
    assert [line for line in statements if line.startswith("SET")] == []


def test_options_of_a_client_are_refused_and_not_dropped(pgbouncer: PgBouncer) -> None:
    with pytest.raises(psycopg.OperationalError, match="unsupported startup parameter: options"):
        psycopg.connect(pgbouncer.url(), options="-c statement_timeout=0")


def test_migrator_does_not_come_through_the_pooler(pgbouncer: PgBouncer) -> None:
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(pgbouncer.url("migrator"))


def test_500_clients_share_the_pool(pgbouncer: PgBouncer, postgres: Postgres) -> None:
    most = number("max_db_connections")
    count = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE usename = 'app' AND datname = current_database()"
    )

    async def connected(turns: asyncio.Semaphore) -> psycopg.AsyncConnection:
        async with turns:
            return await psycopg.AsyncConnection.connect(
                pgbouncer.url(), autocommit=True, prepare_threshold=None, connect_timeout=20
            )

    async def query(session: psycopg.AsyncConnection) -> None:
        for _ in range(5):
            await session.execute("SELECT pg_sleep(0.01)")

    async def everybody() -> list[int]:
        # In turns: 500 logins at once are seconds of CPU here, which is not the question.
        turns = asyncio.Semaphore(20)
        sessions = await asyncio.gather(*(connected(turns) for _ in range(500)))
        clients = [asyncio.create_task(query(session)) for session in sessions]
        seen = []
        while not all(task.done() for task in clients):
            seen.append(int(await asyncio.to_thread(postgres.psql, count)))
        await asyncio.gather(*clients)
        for session in sessions:
            await session.close()
        return seen

    seen = asyncio.run(everybody())
    assert 3 < max(seen) <= most


def test_200_clients_at_once_find_a_pool_that_has_no_connection_yet(pgbouncer: PgBouncer) -> None:
    pgbouncer.restart()

    async def client() -> object:
        async with await psycopg.AsyncConnection.connect(
            pgbouncer.url(), autocommit=True, prepare_threshold=None, connect_timeout=10
        ) as session:
            return await (await session.execute("SELECT 1")).fetchone()

    async def everybody() -> list[object]:
        return await asyncio.gather(*(client() for _ in range(200)))

    assert asyncio.run(everybody()) == [(1,)] * 200


def test_the_alias_of_the_workers_is_the_same_database_with_a_quota_of_its_own(
    pgbouncer: PgBouncer,
) -> None:
    url = pgbouncer.url(database=f"{pgbouncer.postgres.database}_worker")
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as session:
        found = session.execute("SELECT current_database()").fetchone()
        assert found == (pgbouncer.postgres.database,)
    with connect(pgbouncer) as session:
        session.execute("SELECT 1")
    sizes = {each["name"]: each["pool_size"] for each in pgbouncer.show("DATABASES")}
    assert sizes["service_worker"] == alias("service_worker", "pool_size")
    assert sizes["service"] == number("default_pool_size")


def test_a_client_waits_three_seconds_for_a_connection_and_no_longer(
    postgres: Postgres, tmp_path: Path
) -> None:
    one = {"default_pool_size": 1, "reserve_pool_size": 0, "max_db_connections": 1}
    with (
        PgBouncer(tmp_path, postgres, settings=one) as pooler,
        connect(pooler) as holder,
        connect(pooler) as waiter,
        holder.transaction(),
    ):
        holder.execute("SELECT 1")
        started = time.monotonic()
        with pytest.raises(psycopg.OperationalError, match="query_wait_timeout"):
            waiter.execute("SELECT 1")
        assert 2.9 < time.monotonic() - started < 8  # it looks once a second


def test_clients_are_served_within_two_seconds_of_the_return_of_postgresql(
    pgbouncer: PgBouncer, postgres: Postgres
) -> None:
    with connect(pgbouncer) as session:
        session.execute("SELECT 1")
        postgres.kill()
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
    started = time.monotonic()
    with connect(pgbouncer) as session, pytest.raises(psycopg.OperationalError):
        session.execute("SELECT 1")
    assert time.monotonic() - started < 4.9  # at most query_wait_timeout
    postgres.start()

    def serves() -> bool:
        try:
            with psycopg.connect(pgbouncer.url(), connect_timeout=2, prepare_threshold=None) as new:
                return new.execute("SELECT 1").fetchone() == (1,)
        except psycopg.OperationalError:
            return False

    pgbouncer.process.wait_until(serves, 2.0)


def test_a_taken_port_is_told_and_not_shared(
    pgbouncer: PgBouncer, postgres: Postgres, tmp_path: Path
) -> None:
    with pytest.raises(ServerError, match=f"port {pgbouncer.port} is taken"):
        PgBouncer(tmp_path, postgres, port=pgbouncer.port).start()
