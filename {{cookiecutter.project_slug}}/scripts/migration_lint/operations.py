"""What no statement shows: whether a migration runs backwards, and what it does beside the SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.db.migrations import RemoveField, RunPython, RunSQL, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation
from django.db.models import NOT_PROVIDED

from scripts.migration_lint.replay import Replayed

SCHEMA = re.compile(r"\s*(CREATE|ALTER|DROP)\b", re.IGNORECASE)
ROWS = re.compile(r"\s*(INSERT|UPDATE|DELETE|MERGE|COPY|TRUNCATE|WITH)\b", re.IGNORECASE)
WITHOUT_TRANSACTION = re.compile(r"\bCONCURRENTLY\b|\bVALIDATE\s+CONSTRAINT\b", re.IGNORECASE)
JSON_COLUMN = re.compile(r"\s*(CREATE|ALTER)\s+TABLE\b.*\bjson\b(?!\")", re.IGNORECASE | re.DOTALL)


def broken_rules(done: Replayed) -> Iterator[tuple[int, str]]:
    """(operation, rule) of each."""
    if done.concurrently is not None:
        yield done.concurrently, "concurrently-in-transaction"
    schema = {each.operation for each in done.statements if SCHEMA.match(each.sql)}
    for number, operation in enumerate(done.migration.operations[: len(done.states)]):
        parts = list(_parts(operation))
        if any(isinstance(part, RunPython | RunSQL) and not part.reversible for part in parts):
            yield number, "irreversible"
        if schema and _changes_rows(done, number, parts):
            yield number, "data-with-schema-change"
        if _leaves_a_required_column(done, number):
            yield number, "required-column-left-behind"
    for each in done.statements:
        if JSON_COLUMN.match(each.sql):
            yield each.operation, "prefer-jsonb"
    if not done.atomic and done.concurrently is None:
        bound = {
            each.operation
            for each in done.statements
            if SCHEMA.match(each.sql) and not WITHOUT_TRANSACTION.search(each.sql)
        }
        yield from ((number, "non-atomic-schema-change") for number in sorted(bound))


def _parts(operation: Operation) -> Iterator[Operation]:
    """`operation`, and what it does to the database in the name of another."""
    yield operation
    if isinstance(operation, SeparateDatabaseAndState):
        for part in operation.database_operations:
            yield from _parts(part)


def _changes_rows(done: Replayed, number: int, parts: list[Operation]) -> bool:
    if any(isinstance(part, RunPython) and part.code is not RunPython.noop for part in parts):
        return True
    return any(isinstance(part, RunSQL) for part in parts) and any(
        each.operation == number and ROWS.match(each.sql) for each in done.statements
    )


def _leaves_a_required_column(done: Replayed, number: int) -> bool:
    operation = done.migration.operations[number]
    if not isinstance(operation, SeparateDatabaseAndState) or operation.database_operations:
        return False
    app_label = done.migration.app_label
    state = done.states[number].clone()
    for part in operation.state_operations:
        if isinstance(part, RemoveField):
            field = state.models[app_label, part.model_name_lower].get_field(part.name)
            has_value = field.null or field.generated or field.db_default is not NOT_PROVIDED
            if not (has_value or field.many_to_many):
                return True
        part.state_forwards(app_label, state)
    return False
