"""A row in every table, with a word of its own in every column that can hold one."""

from __future__ import annotations

from typing import Any

from django.db import models

from core.privacy.columns import tables
from scripts.servers import Postgres


def columns() -> dict[str, models.Field[Any, Any]]:
    """The columns that can hold a word, by that word: eight characters fit into most."""
    fields = [
        field
        for model in tables()
        for field in model._meta.local_concrete_fields
        if not field.generated and not field.choices and not field.is_relation
    ]
    return {f"zq{number:04}zq": field for number, field in enumerate(fields) if _holds(field)}


def seed(postgres: Postgres, database: str) -> None:
    """One row each, as a superuser who is asked for no foreign key."""
    words = {field: word for word, field in columns().items()}
    statements = ["SET session_replication_role = replica;"]
    for model in tables():
        fields = [field for field in model._meta.local_concrete_fields if not field.generated]
        names = ", ".join(f'"{field.column}"' for field in fields)
        values = ", ".join(_value(field, words.get(field)) for field in fields)
        table = f'"{model._meta.db_table}"'
        row = f"INSERT INTO {table} ({names}) VALUES ({values})"  # noqa: S608
        statements.append(f"DELETE FROM {table};")  # noqa: S608
        statements.append(_ROW.format(table=table, row=row))
    statements.append("ANALYZE;")
    postgres.psql("\n".join(statements), database=database)


# A word need not be a value that a table's CHECK would take.
_ROW = """
DO $$
DECLARE found record;
BEGIN
    {row};
EXCEPTION WHEN check_violation THEN
    FOR found IN SELECT conname FROM pg_constraint
        WHERE conrelid = '{table}'::regclass AND contype = 'c'
    LOOP
        EXECUTE format('ALTER TABLE {table} DROP CONSTRAINT %I', found.conname);
    END LOOP;
    {row};
END $$;
"""


def _holds(field: models.Field[Any, Any]) -> bool:
    if isinstance(field, (models.CharField, models.TextField, models.FileField)):
        return field.max_length is None or field.max_length >= 8
    return isinstance(field, (models.JSONField, models.BinaryField))


def _value(field: models.Field[Any, Any], word: str | None) -> str:
    if word is None:
        if field.choices:
            return f"'{field.choices[0][0]}'"
        if field.null and not isinstance(field, models.BooleanField):
            return "NULL"
        return _VALUES.get(field.get_internal_type(), "1")
    if isinstance(field, models.EmailField):
        return f"'{word}@customer.example.com'"
    if isinstance(field, models.JSONField):
        return f"""'{{"{word}": "{word}"}}'"""
    if isinstance(field, models.BinaryField):
        return f"'{word}'::bytea"
    return f"'{word}'"


_VALUES = {
    "BooleanField": "false",
    "DateTimeField": "now()",
    "UUIDField": "gen_random_uuid()",
    "CharField": "''",
}
