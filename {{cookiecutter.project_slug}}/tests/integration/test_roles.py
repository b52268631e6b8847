"""deploy/postgres/roles.sql: what each role may do, and for how long."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg import errors

from scripts.servers import DEBIAN, THROW_AWAY, PgBouncer, Postgres, Stack, wheel

PROGRAMS = [wheel(18), wheel(16), *([DEBIAN] if DEBIAN.exists() else [])]


def version(programs: Path) -> str:
    return programs.parent.name


@pytest.fixture(scope="module", params=PROGRAMS, ids=version)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Postgres]:
    """A fresh server of each version that is at hand, with roles.sql applied to it twice."""
    folder = tmp_path_factory.mktemp("postgres")
    with Postgres(folder, programs=request.param, settings=THROW_AWAY) as postgres:
        postgres.psql("CREATE TABLE owned (id bigserial PRIMARY KEY)", role="migrator")
        postgres.create_database("service")
        yield postgres


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "ALTER TABLE owned ADD COLUMN more int",
        "DROP TABLE owned",
        "TRUNCATE owned",
        "CREATE ROLE mine",
        "SET ROLE migrator",
        "COPY owned TO PROGRAM 'true'",
    ],
)
def test_app_is_refused(server: Postgres, statement: str) -> None:
    with (
        psycopg.connect(server.url("app"), autocommit=True) as session,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        session.execute(statement)


def test_app_changes_rows_of_a_table_that_migrator_makes_later(server: Postgres) -> None:
    with psycopg.connect(server.url("migrator"), autocommit=True) as owner:
        owner.execute("DROP TABLE IF EXISTS later")
        owner.execute("CREATE TABLE later (id bigserial PRIMARY KEY, name text)")
    with psycopg.connect(server.url("app"), autocommit=True) as session:
        session.execute("INSERT INTO later (name) VALUES ('a')")
        session.execute("UPDATE later SET name = 'b'")
        assert session.execute("SELECT id, name FROM later").fetchall() == [(1, "b")]
        session.execute("DELETE FROM later")


@pytest.mark.parametrize(
    ("role", "parameter", "value"),
    [
        ("app", "statement_timeout", "5s"),
        ("app", "lock_timeout", "2s"),
        ("app", "idle_in_transaction_session_timeout", "10s"),
        ("app", "TimeZone", "UTC"),
        ("app", "application_name", "service"),
        ("migrator", "statement_timeout", "30min"),
        ("migrator", "lock_timeout", "500ms"),
        ("migrator", "client_connection_check_interval", "1s"),
        ("migrator", "idle_in_transaction_session_timeout", "5min"),
    ],
)
def test_a_role_starts_with(server: Postgres, role: str, parameter: str, value: str) -> None:
    with psycopg.connect(server.url(role)) as session:
        assert session.execute(f"SHOW {parameter}").fetchone() == (value,)


def test_another_role_may_not_connect(server: Postgres) -> None:
    server.psql("DROP ROLE IF EXISTS stranger; CREATE ROLE stranger LOGIN PASSWORD 'stranger'")
    url = server.url("app").replace(f"app:{server.password('app')}", "stranger:stranger")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(url)


def test_an_administrator_that_is_no_superuser_can_apply_the_file(
    tmp_path: Path, server: Postgres
) -> None:
    """As on a managed server."""
    with Postgres(tmp_path, programs=server.programs, settings=THROW_AWAY) as managed:
        secret = managed.password("administrator")
        managed.psql("DROP DATABASE service", database="postgres")
        managed.psql("DROP OWNED BY app, migrator; DROP ROLE app, migrator", database="postgres")
        managed.psql(
            f"CREATE ROLE administrator LOGIN CREATEROLE CREATEDB PASSWORD '{secret}'",
            database="postgres",
        )
        managed.create_database("service", role="administrator")
        managed.create_database("service", role="administrator")
        managed.psql("CREATE TABLE a (id int)", role="migrator")
        managed.psql("INSERT INTO a VALUES (1)", role="app")


# Through the pooler ------------------------------------------------------------------------------


def seconds_until(refused: type[psycopg.Error], action: Callable[[], object]) -> float:
    started = time.monotonic()
    with pytest.raises(refused):
        action()
    return time.monotonic() - started


@pytest.fixture(scope="module")
def patience(servers: Stack) -> dict[str, float]:
    """Seconds until the service's own connection was cut off, by what it waited for."""
    server = servers.postgres
    assert server
    pooled = servers.variables["DATABASE_URL"]
    server.psql("CREATE TABLE patience (id int); INSERT INTO patience VALUES (1)", role="migrator")

    def session(url: str = pooled) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(url, prepare_threshold=None)

    def statement() -> float:
        with session() as one:
            return seconds_until(errors.QueryCanceled, lambda: one.execute("SELECT pg_sleep(20)"))

    def lock() -> float:
        with session() as holder, session() as waiter:
            holder.execute("SELECT * FROM patience FOR UPDATE")
            return seconds_until(
                errors.LockNotAvailable,
                lambda: waiter.execute("SELECT * FROM patience FOR UPDATE"),
            )

    def idle(url: str, key: int) -> float:
        """Until the lock that an idle transaction holds is free again."""
        take = "SELECT pg_advisory_xact_lock(%s)"
        with session(url) as holder, session(server.url("migrator")) as waiter:
            waiter.execute("SET lock_timeout = 0")
            holder.execute(take, [key])
            started = time.monotonic()
            waiter.execute(take, [key])
            ended = time.monotonic() - started
            with pytest.raises(psycopg.Error):
                holder.execute("SELECT 1")
            holder.close()
        return ended

    with ThreadPoolExecutor() as executor:
        waits = {
            "statement": executor.submit(statement),
            "lock": executor.submit(lock),
            "idle, pooled": executor.submit(idle, pooled, 1),
            "idle, direct": executor.submit(idle, server.url("app"), 2),
        }
        found = {name: wait.result() for name, wait in waits.items()}
    server.psql("DROP TABLE patience", role="migrator")
    return found


def test_a_statement_ends_after_5_seconds(patience: dict[str, float]) -> None:
    assert 4.9 < patience["statement"] < 6.5


def test_a_wait_for_a_lock_ends_after_2_seconds(patience: dict[str, float]) -> None:
    assert 1.9 < patience["lock"] < 3.5


def test_an_idle_transaction_gives_its_locks_back_after_10_seconds(
    patience: dict[str, float],
) -> None:
    assert 9.9 < patience["idle, direct"] < 12.0


def test_an_idle_transaction_is_ended_by_the_pooler_before_that(
    patience: dict[str, float], pgbouncer: PgBouncer
) -> None:
    """query_timeout, 7 s, counts from a client's last request to the end of its transaction."""
    assert 6.9 < patience["idle, pooled"] < 9.5
