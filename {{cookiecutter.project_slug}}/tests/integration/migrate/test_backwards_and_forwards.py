"""Each app's migrations run back to nothing and forwards again, on a database with rows in it.

A release that went wrong goes back; what its own tables held is gone then, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from psycopg import sql
from pytest_django import DjangoDbBlocker

from core.db.connection import django_database
from core.environment.databases import database_url
from scripts.migration_lint.baseline import ours
from scripts.servers import Postgres
from scripts.servers.postgres import SUPERUSER

DATABASE = "backwards"
APPS = sorted(ours() & MigrationLoader(None).migrated_apps)
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
SCHEMA = """
    SELECT table_name, column_name, data_type, is_nullable, column_default
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT tablename, indexname, indexdef, '', '' FROM pg_indexes
    WHERE schemaname = 'public'
    UNION ALL SELECT conrelid::regclass::text, conname,
    replace(pg_get_constraintdef(oid), ' NOT VALID', ''), '', ''
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2, 3
"""
ROWS = "SELECT count(*)::text, md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {} t"
# What a row of any table is made of. It obeys no foreign key (the seed is a superuser's replica)
# and no check: no code reads it.
CHECKS = """
    SELECT conname, replace(pg_get_constraintdef(oid), ' NOT VALID', '') || ' NOT VALID'
    FROM pg_constraint
    WHERE conrelid = %s::regclass AND contype = 'c'
"""
REQUIRED = """
    SELECT column_name, data_type FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = %s AND is_nullable = 'NO'
    AND column_default IS NULL AND is_identity = 'NO' AND is_generated = 'NEVER'
"""
VALUES = {
    "boolean": "true",
    "bytea": "'\\x00'",
    "date": "now()",
    "inet": "'127.0.0.1'",
    "jsonb": "'{}'",
    "timestamp with time zone": "now()",
    "uuid": "gen_random_uuid()",
    "character varying": "'1'",
    "text": "'1'",
}


@pytest.fixture
def direct(postgres: Postgres, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The alias of a migrated database, as migrator."""
    postgres.create_database(DATABASE)
    url = database_url(postgres.url("migrator", database=DATABASE))
    ours = django_database(url, application_name="migrate")
    connections.databases[DATABASE] = {**connections.databases["default"], **ours}
    with django_db_blocker.unblock():
        migrate()
        yield DATABASE
        connections[DATABASE].close()
    del connections[DATABASE]
    del connections.databases[DATABASE]
    postgres.psql(f"DROP DATABASE {DATABASE} WITH (FORCE)", database="postgres")


def migrate(*to: str) -> None:
    call_command("migrate", *to, database=DATABASE, verbosity=0)


def seed(session: psycopg.Connection[tuple[str, ...]], tables: list[str]) -> None:
    """A row in each table."""
    session.execute("SET session_replication_role = replica")
    for table in tables:
        columns = session.execute(REQUIRED, [table]).fetchall()
        names = ", ".join(f'"{name}"' for name, _ in columns)
        values = ", ".join(VALUES.get(kind, "1") for _, kind in columns)
        into = f"({names}) VALUES ({values})" if columns else "DEFAULT VALUES"
        checks = session.execute(CHECKS, [table]).fetchall()
        for name, _ in checks:
            session.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}".encode())
        session.execute(f"INSERT INTO {table} {into}".encode())
        for name, text in checks:
            session.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {text}".encode())


def held(session: psycopg.Connection[tuple[str, ...]]) -> dict[str, tuple[str, ...] | None]:
    """By table, what its rows are."""
    tables = [name for (name,) in session.execute(TABLES).fetchall()]
    changing = ("django_migrations", "django_content_type", "auth_permission")
    return {
        table: session.execute(sql.SQL(ROWS).format(sql.Identifier(table))).fetchone()
        for table in tables
        if table not in changing
    }


def test_no_app_takes_rows_of_another_along(postgres: Postgres, direct: str) -> None:
    url = postgres.url(SUPERUSER, database=direct)
    with psycopg.connect(url, autocommit=True) as session:
        schema = session.execute(SCHEMA).fetchall()
        seed(session, [table for table in held(session) if held(session)[table] == ("0", None)])
        assert all(rows and rows[0] != "0" for rows in held(session).values())
        went_back = 0
        for app in APPS:
            before = held(session)
            migrate(app, "zero")
            back = held(session)
            assert {table: before[table] for table in back} == back, app
            went_back += len(back) < len(before)
            migrate()
            after = held(session)
            assert {table: after[table] for table in back} == back, app
            assert session.execute(SCHEMA).fetchall() == schema, app
            seed(session, [table for table in after if table not in back])
    assert went_back >= 5
