"""The first step out of the schema, for a column: it stays, and the code forgets it."""

from __future__ import annotations

import re
from typing import Any

from django.db.migrations import AlterField, RemoveField, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState
from django.db.models import NOT_PROVIDED, CharField, Field, TextField

# A default that the database can hold as it is; anything else is a function of Python's.
_PLAIN = (str, int, float, bool)


class NotDroppableError(Exception):
    """This is no column that can be dropped in steps; the message says what to do."""


def field_of(state: ProjectState, name: str) -> tuple[str, ModelState, str, Field[Any, Any]]:
    """App label, model, field's name and field of "app.Model.field". Raises `NotDroppableError`."""
    if len(parts := name.split(".")) != 3:
        raise NotDroppableError(f"{name!r} is not app.Model.field, as warehouse.Item.note is.")
    app_label, model_name, field_name = parts
    model = state.models.get((app_label, model_name.lower()))
    if model is None:
        raise NotDroppableError(f"The migrations know no model {app_label}.{model_name}.")
    if field_name not in model.fields:
        raise NotDroppableError(
            f"The migrations know no field {field_name} of {app_label}.{model_name}; "
            f"they know {', '.join(model.fields)}."
        )
    field = model.fields[field_name]
    if field.many_to_many:
        raise NotDroppableError(f"{name} is a table, not a column: see Drop a table.")
    if field.primary_key:
        raise NotDroppableError(f"{name} is the primary key: see Drop a table.")
    if user := _user_of(model, field_name):
        raise NotDroppableError(
            f"{user} names {field_name}: take that away in a migration before this one."
        )
    return app_label, model, field_name, field


def leave(model: ModelState, name: str, field: Field[Any, Any]) -> list[Operation]:
    """The operations after which nobody has to know the column, and everybody may."""
    steps: list[Operation] = []
    if not (field.null or field.generated or field.db_default is not NOT_PROVIDED):
        steps.append(AlterField(model.name_lower, name, _optional(field)))
    forget = RemoveField(model.name_lower, name)
    return [*steps, SeparateDatabaseAndState(state_operations=[forget])]


def _optional(field: Field[Any, Any]) -> Field[Any, Any]:
    """With the value that old code expects, where there is one; else with NULL.

    Old code meets what new code left out only in rows that new code made, but it does so in each
    page of a list. A unique column cannot have one value for all of them.
    """
    clone = field.clone()
    is_text = isinstance(field, CharField | TextField)
    default = field.default if field.has_default() else "" if is_text else None
    if isinstance(default, _PLAIN) and not field.unique and not field.is_relation:
        vars(clone).update(db_default=default)
    else:
        clone.null = True
    return clone


def _user_of(model: ModelState, field: str) -> str | None:
    """The index or constraint that cannot be there without the field."""
    for each in (*model.options.get("indexes", ()), *model.options.get("constraints", ())):
        if re.search(rf"\b{re.escape(field)}\b", repr(each.deconstruct())):
            return str(each.name)
    together = model.options.get("unique_together") or ()
    if any(field in fields for fields in together):
        return "unique_together"
    return None
