"""docs/operations/rotate-secrets.md, step by step, while requests come."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Iterator, Mapping

import psycopg
import pytest

from scripts.servers import PgBouncer, Postgres
from tests.server.browser import SESSION
from tests.server.conftest import DATABASE, StartRole
from tests.server.secrets.fleet import fleet
from tests.server.watching import watching
from tests.stack import BASE_DIR

NEXT_ROLE = BASE_DIR / "deploy" / "postgres" / "next-role.sql"


@pytest.fixture
def pooler(
    pgbouncer: PgBouncer, postgres: Postgres, server_database: dict[str, str]
) -> Iterator[PgBouncer]:
    """With its users and PostgreSQL's roles as they were, after the test."""
    yield pgbouncer
    postgres.psql(f"ALTER ROLE app LOGIN PASSWORD '{postgres.password('app')}'")
    pgbouncer.restart()
    if postgres.psql("SELECT 1 FROM pg_roles WHERE rolname = 'app_b'"):
        postgres.psql("DROP OWNED BY app_b; DROP ROLE app_b", database=DATABASE)


def let_in(pooler: PgBouncer, passwords: Mapping[str, str]) -> None:
    """Write the pooler's auth_file, and RELOAD."""
    lines = "".join(f'"{name}" "{password}"\n' for name, password in passwords.items())
    (pooler.directory / "userlist.txt").write_text(lines)
    os.kill(pooler.process.pid, signal.SIGHUP)


def is_let_in(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=5, prepare_threshold=None) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def test_a_password_is_rotated_with_no_request_failed(
    start_role: StartRole, pooler: PgBouncer, postgres: Postgres
) -> None:
    old, new = postgres.password("app"), secrets.token_urlsafe(24)
    before = pooler.url("app", database=DATABASE)
    after = before.replace(f"app:{old}@", f"app_b:{new}@")

    with fleet(start_role, {"DATABASE_URL": before}) as running:

        def ask() -> int:
            # A session that is not in the cache is looked up in PostgreSQL.
            cookie = f"__Host-session={secrets.token_hex(16)}"
            return running.next().get(SESSION, headers={"Cookie": cookie})[0].status

        with watching(ask, threads=4) as seen:
            seen.wait_for_more()
            postgres.psql(
                NEXT_ROLE.read_text(),
                database=DATABASE,
                variables={"role": "app_b", "password": new},
            )
            let_in(pooler, {"app": old, "app_b": new})
            seen.wait_for_more()
            running.roll({"DATABASE_URL": after})
            let_in(pooler, {"app_b": new})
            postgres.psql("ALTER ROLE app NOLOGIN PASSWORD NULL")
            seen.wait_for_more(100)

    assert set(seen.answers) == {200}
    assert is_let_in(after)
    assert not is_let_in(before)
    assert not is_let_in(postgres.url("app", database=DATABASE))


def test_the_next_role_has_the_limits_and_the_rights_of_the_first(
    pooler: PgBouncer, postgres: Postgres
) -> None:
    postgres.psql(
        NEXT_ROLE.read_text(), database=DATABASE, variables={"role": "app_b", "password": "x"}
    )
    settings = "SELECT array_agg(s ORDER BY s) FROM pg_roles, unnest(rolconfig) s WHERE rolname = "
    assert postgres.psql(f"{settings}'app'") == postgres.psql(f"{settings}'app_b'") != ""
    # What migrator makes tomorrow, too; and no more than rows.
    made = "CREATE TABLE tomorrow (id int)"
    postgres.psql(made, role="migrator", database=DATABASE)
    may = "SELECT has_table_privilege('app_b', 'tomorrow', 'INSERT, UPDATE, DELETE'), "
    may += "has_schema_privilege('app_b', 'public', 'CREATE')"
    try:
        assert postgres.psql(may, database=DATABASE) == "t|f"
    finally:
        postgres.psql("DROP TABLE tomorrow", role="migrator", database=DATABASE)


def test_a_password_that_is_changed_in_postgresql_alone_lets_nobody_in(
    start_role: StartRole, pooler: PgBouncer, postgres: Postgres
) -> None:
    postgres.psql(f"ALTER ROLE app PASSWORD '{secrets.token_urlsafe(24)}'")
    pooler.restart()
    with start_role("web") as web:
        cookie = f"__Host-session={secrets.token_hex(16)}"
        assert web.get(SESSION, headers={"Cookie": cookie})[0].status == 503
