"""Masking in SQL: values are replaced where they are, batch by batch, by the primary key.

The same value becomes the same mask everywhere, by a key: an account and its confirmed address
still belong together, and two runs with one key give one copy. Without the key nobody can try
addresses until one fits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connection, models

from core.privacy.columns import Column, declarations, masked, tables
from core.privacy.kinds import Kind

# Rows of one statement: a second or two of locks and WAL on a small machine.
BATCH = 10_000

# 64 bits of it tell addresses apart (one pair in 10⁸ for a million); 160 are a token.
_DIGEST = "encode(sha256(%s || sha256(%s || convert_to({column}, 'UTF8'))), 'hex')"
_MASKS = {
    # One mailbox in whatever case it was typed; .invalid is delivered nowhere (RFC 2606).
    Kind.EMAIL: "'user-' || left({}, 16) || '@example.invalid'".format(
        _DIGEST.replace("{column}", "lower({column})")
    ),
    Kind.NAME: f"'Name ' || left({_DIGEST}, 12)",
    Kind.TOKEN: f"left({_DIGEST}, 40)",
    # Django's sign for a password that nothing opens, and 40 characters that are not "!" again.
    Kind.SECRET: f"'!' || left({_DIGEST}, 40)",
    Kind.TEXT: "left(repeat('lorem ipsum ', length({column}) / 12 + 1), length({column}))",
}


def mask(key: bytes) -> Iterator[tuple[str, int]]:
    """Mask everything: each table with how many rows were emptied (-1) or masked.

    Not one transaction: it would hold every lock to its end, and VACUUM cannot be in it. A run that
    is cut off leaves a copy that is masked in part: restore it again.
    """
    declared = declarations()
    every = {model: declared.get(model._meta.label, {}) for model in tables()}
    emptied = [model._meta.db_table for model, kinds in every.items() if kinds is None]
    if emptied:
        # Together, without CASCADE: a table that points at one of these says so by an error.
        _execute("TRUNCATE " + ", ".join(map(_quoted, emptied)))
        yield from ((table, -1) for table in emptied)
    for model, kinds in every.items():
        if columns := masked(model, kinds or {}):
            yield model._meta.db_table, _mask_table(model, columns, key)
    for model in every:
        # FULL: the former values of changed rows are in the files until they are written anew.
        # ANALYZE: statistics keep the most frequent values in clear.
        _execute(f"VACUUM (FULL, ANALYZE) {_quoted(model._meta.db_table)}")


def _mask_table(model: type[models.Model], columns: list[Column], key: bytes) -> int:
    table = _quoted(model._meta.db_table)
    primary = _quoted(model._meta.pk.column)
    changes, values = [], []
    for column in columns:
        name = _quoted(column.field.column)
        expression = _expression(column).format(column=name)
        changes.append(
            f"{name} = CASE WHEN {_is_empty(column, name)} THEN {name} ELSE {expression} END"
        )
        values += [key] * expression.count("%s")
    last: Any = None
    count = 0
    while True:
        after = "" if last is None else f"WHERE {primary} > %s"
        [(masked_rows, last)] = _execute(
            # Names are the models' own, quoted; values are parameters. The last key by the
            # database's order, which for text is another than Python's.
            f"WITH batch AS (SELECT {primary} FROM {table} {after} "  # noqa: S608
            f"ORDER BY {primary} LIMIT {BATCH}), "
            f"changed AS (UPDATE {table} SET {', '.join(changes)} FROM batch "
            f"WHERE {table}.{primary} = batch.{primary}) "
            f"SELECT (SELECT count(*) FROM batch), "
            f"(SELECT {primary} FROM batch ORDER BY {primary} DESC LIMIT 1)",
            [*([] if last is None else [last]), *values],
        )
        if not masked_rows:
            return count
        count += masked_rows


def _expression(column: Column) -> str:
    field = column.field
    if column.kind is Kind.CLEARED:
        if field.null:
            return "NULL"
        if isinstance(field, models.JSONField):
            return "'{{}}'::jsonb"
        return "''"
    found = _MASKS[column.kind]
    return f"left({found}, {field.max_length})" if field.max_length else found


def _is_empty(column: Column, name: str) -> str:
    """An empty value stays: it says nothing, and many tests of a copy ask for just that."""
    textual = isinstance(column.field, (models.CharField, models.TextField))
    return f"{name} IS NULL" + (f" OR {name} = ''" if textual else "")


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _execute(statement: str, values: list[Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []
