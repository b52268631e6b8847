"""What may not be masked: production, a database in use, and one that is not wholly known."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import connection

from core.privacy.columns import problems, tables

# Django's own, of no model; it names migrations.
_OF_NO_MODEL = {"django_migrations"}


def refusals(name: str) -> Iterator[str]:
    """A sentence for each reason not to mask the database of this process, meant to be `name`."""
    if settings.ANONYMISE_REFUSED:
        yield "These are the settings of production."
        return
    yield from problems()
    yield from of_production()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        [(current,)] = cursor.fetchall()
        if current != name:
            yield f"The database is {current}, and {name} is the one that was named."
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            # Not by backend_type, NULL for sessions of other roles; autovacuum has no role.
            "AND pid <> pg_backend_pid() AND usesysid IS NOT NULL"
        )
        [(others,)] = cursor.fetchall()
        if others:
            yield f"{others} other sessions use it: a copy that is to be masked is used by nobody."
        yield from _unknown(cursor)


def of_production() -> Iterator[str]:
    """Whether this process is connected to what PRODUCTION_DATABASE_URL names."""
    production, ours = settings.PRODUCTION_DATABASE, settings.DATABASES["default"]
    if production is None:
        yield "PRODUCTION_DATABASE_URL is not set: it says which database is never to be masked."
    elif (
        production.name == ours["NAME"]
        and production.port == int(ours["PORT"])
        and _addresses(production.host) & _addresses(ours["HOST"])
    ):
        yield "This is the database of production, by PRODUCTION_DATABASE_URL."


def _addresses(host: str) -> set[Any]:
    """The name and all it stands for: production may be known by another."""
    try:
        found = {each[4][0] for each in socket.getaddrinfo(host, None)}
    except OSError:
        found = set()
    return {host.lower(), *found}


def _unknown(cursor: Any) -> Iterator[str]:
    """Tables and columns of no model: what a release left behind is full of people, too."""
    known = {
        model._meta.db_table: {field.column for field in model._meta.local_concrete_fields}
        for model in tables()
    }
    cursor.execute(
        "SELECT nspname, relname, array_agg(attname::text ORDER BY attnum) FROM pg_class "
        "JOIN pg_namespace ON pg_namespace.oid = relnamespace "
        "JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped "
        "WHERE relkind IN ('r', 'p', 'm', 'f') AND nspname <> 'information_schema' "
        r"AND nspname NOT LIKE 'pg\_%' GROUP BY nspname, relname ORDER BY nspname, relname"
    )
    for schema, table, columns in cursor.fetchall():
        if schema == "public" and table in _OF_NO_MODEL:
            continue
        if schema != "public" or table not in known:
            yield f"{schema}.{table} is of no model: drop it from the copy, or make it known."
            continue
        for column in sorted(set(columns) - known[table]):
            yield f"{table}.{column} is of no model: drop it from the copy, or make it known."
