"""The declarations of all apps, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import models

from core.privacy.kinds import Declaration, Kind

_TEXTUAL = (models.CharField, models.TextField)
_IN_TEXT_ALONE = {Kind.EMAIL, Kind.NAME, Kind.TEXT, Kind.TOKEN, Kind.SECRET}


@dataclass(frozen=True)
class Column:
    """One column that is masked."""

    field: models.Field[Any, Any]
    kind: Kind


def declarations() -> dict[str, Declaration]:
    """By the label of a model: the settings' and each app's `privacy.PRIVACY`."""
    found: dict[str, Declaration] = dict(settings.PRIVACY)
    for app in apps.get_app_configs():
        if find_spec(f"{app.name}.privacy"):
            found |= import_module(f"{app.name}.privacy").PRIVACY
    return found


def tables() -> Iterable[type[models.Model]]:
    """Every model with a table of its own, those behind many-to-many fields too."""
    every = apps.get_models(include_auto_created=True)
    return [model for model in every if model._meta.managed and not model._meta.proxy]


def needs_no_word(field: models.Field[Any, Any]) -> bool:
    """A number that names a row, or a value that the database computes from others."""
    return field.is_relation or isinstance(field, models.AutoField) or field.generated


def kinds(declared: Mapping[Kind, str]) -> Iterator[tuple[str, Kind]]:
    for kind, names in declared.items():
        for name in names.split():
            yield name, kind


def masked(model: type[models.Model], declared: Mapping[Kind, str]) -> list[Column]:
    """The columns of `model` that do not stay as they are."""
    known = dict(kinds(declared))
    found = [(field, known.get(field.name)) for field in model._meta.local_concrete_fields]
    return [Column(field, kind) for field, kind in found if kind and kind is not Kind.PUBLIC]


def problems() -> Iterator[str]:
    """A sentence for each column without a kind, with a wrong one, or declared and not there."""
    declared = declarations()
    known = {model._meta.label: model for model in tables()}
    for label in sorted(declared.keys() - known.keys()):
        yield f"{label} is declared in PRIVACY, and there is no such table."
    for label, model in known.items():
        if label in declared and declared[label] is None:
            continue
        yield from _of_one(label, model, list(kinds(declared.get(label) or {})))


def _of_one(
    label: str, model: type[models.Model], declared: list[tuple[str, Kind]]
) -> Iterator[str]:
    fields = {field.name: field for field in model._meta.local_concrete_fields}
    names = [name for name, _ in declared]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{label}.{name} is declared twice."
    for name, field in fields.items():
        if name not in names and not needs_no_word(field):
            yield f"{label}.{name} has no kind in PRIVACY: say what it tells of a person."
    for name, kind in declared:
        if name not in fields:
            yield f"{label}.{name} is declared in PRIVACY, and there is no such column."
        elif wrong := _wrong(fields[name], kind):
            yield f"{label}.{name} cannot be {kind}: {wrong}."


def _wrong(field: models.Field[Any, Any], kind: Kind) -> str | None:
    if kind is Kind.PUBLIC:
        return "it holds addresses" if isinstance(field, models.EmailField) else None
    if field.primary_key:
        return "it names the row, which others point at; the table can be EMPTIED"
    if kind in _IN_TEXT_ALONE and not isinstance(field, _TEXTUAL):
        return "it is no text"
    if kind is Kind.CLEARED and not (
        field.null or isinstance(field, (*_TEXTUAL, models.JSONField, models.BinaryField))
    ):
        return "it can be neither NULL nor empty"
    if field.unique and kind not in (Kind.EMAIL, Kind.TOKEN):
        return "two rows would be given one value; email and token are different for each"
    return None
