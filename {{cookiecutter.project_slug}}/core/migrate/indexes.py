"""What a killed CREATE INDEX CONCURRENTLY left: an index by the name of the one to be built.

PostgreSQL cannot take such a build back, so a rerun of its migration would fail: "already exists".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration, RunSQL, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation

_BUILD = re.compile(
    r"\s*CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(?:IF\s+NOT\s+EXISTS\s+)?\"?(\w+)\"?\s",
    re.IGNORECASE,
)
_THERE = """
    SELECT c.relname, i.indisvalid AND i.indisready, pg_get_indexdef(i.indexrelid)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.relname = ANY(%s) AND c.relnamespace = current_schema()::regnamespace
"""


def built(operation: Operation, *, backwards: bool = False) -> str | None:
    """The name of the index that `operation` builds CONCURRENTLY, if it does."""
    if isinstance(operation, RemoveIndexConcurrently):
        return operation.name if backwards else None
    if isinstance(operation, AddIndexConcurrently):
        return None if backwards else operation.index.name
    if isinstance(operation, RunSQL):
        sql = operation.reverse_sql if backwards else operation.sql
        found = _BUILD.match(sql) if isinstance(sql, str) else None
        return found[1] if found else None
    if isinstance(operation, SeparateDatabaseAndState):
        names = (built(part, backwards=backwards) for part in operation.database_operations)
        return next(filter(None, names), None)
    return None


def drop_invalid(
    connection: BaseDatabaseWrapper, migration: Migration, *, backwards: bool = False
) -> Iterator[str]:
    """Drop the invalid indexes that `migration` is about to build; a sentence for each.

    One that is valid is finished: an earlier run was cut off behind it, or somebody built it by
    hand. It serves queries, so it stays, and the operation that builds it is left out of this run;
    the sentence says what it is, for whoever expects another one.
    """
    wanted = {
        name: number
        for number, operation in enumerate(migration.operations)
        if (name := built(operation, backwards=backwards))
    }
    if not wanted:
        return
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute(_THERE, [list(wanted)])
        for name, is_valid, definition in cursor.fetchall():
            if is_valid and not backwards:
                operations = list(migration.operations)
                left_out = operations[wanted[name]]
                operations[wanted[name]] = SeparateDatabaseAndState(state_operations=[left_out])
                vars(migration).update(operations=operations)
                yield f"The index {name} is there, and valid: kept as it is ({definition})."
            elif not is_valid:
                # One that somebody builds by hand just now holds it: refused, and tried again.
                cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {quote(name)}")
                yield f"The index {name} was left invalid by a run that was cut off: dropped."
