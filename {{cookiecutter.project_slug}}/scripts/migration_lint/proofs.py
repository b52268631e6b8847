"""What PostgreSQL itself says about an operation, where the text of its SQL says too little."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import AlterField
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

# A table that is rewritten, or whose index is, has another file afterwards; an empty one too.
FILES = """
    SELECT oid, pg_relation_filenode(oid) FROM pg_class
    WHERE relkind IN ('r', 'i', 'm') AND relnamespace = 'public'::regnamespace
"""
CHECKED = """
    SELECT count(*) FROM pg_constraint
    WHERE conrelid = to_regclass(quote_ident(%s)) AND contype = 'c' AND convalidated
    AND pg_get_expr(conbin, conrelid) = format('(%%I IS NOT NULL)', %s::text)
"""
# Rules that are about rewriting a table.
REWRITING = {"adding-field-with-default", "changing-column-type"}


@contextmanager
def observed(
    connection: BaseDatabaseWrapper, operation: Operation, app_label: str, before: ProjectState
) -> Iterator[set[str]]:
    """Around the run of `operation`: the rules that it does not break, whatever its SQL says.

    squawk takes any default it does not know, STATEMENT_TIMESTAMP() too, for a rewrite; it cannot
    know that VARCHAR(50) became longer, nor that an earlier migration validated IS NOT NULL.
    """
    proved: set[str] = set()
    if isinstance(operation, AlterField) and _never_null(connection, operation, app_label, before):
        proved.add("adding-not-nullable-field")
    old = _files(connection)
    yield proved
    new = _files(connection)
    if all(new.get(relation, file) == file for relation, file in old.items()):
        proved |= REWRITING


def _files(connection: BaseDatabaseWrapper) -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(FILES)
        return dict(cursor.fetchall())


def _never_null(
    connection: BaseDatabaseWrapper, operation: AlterField, app_label: str, before: ProjectState
) -> bool:
    """A valid CHECK says so already, and PostgreSQL believes it instead of reading the rows."""
    model = before.apps.get_model(app_label, operation.model_name)
    column = model._meta.get_field(operation.name).column
    with connection.cursor() as cursor:
        cursor.execute(CHECKED, [model._meta.db_table, column])
        return bool(cursor.fetchone()[0])
