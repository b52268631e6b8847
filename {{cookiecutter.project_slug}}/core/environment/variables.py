"""How a variable is declared."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

_KEY = "variable"
MISSING: Any = object()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One environment variable: its type, its meaning, and who must set it."""

    name: str
    description: str
    parse: Callable[[str], Any]
    kind: str
    """What a value looks like, in words for the documents: "whole number, 1 to 64"."""
    required: frozenset[str]
    """Environments that refuse to start without it."""
    defaults: dict[str, Any]
    """Value by environment when unset, `"*"` for every other one; text is parsed."""
    refuse: Callable[[Any], str | None] | None
    """Says what is wrong with a parsed value in a deployed environment; None accepts it."""
    secret: bool
    example: str
    unit: str

    def default(self, environment: str) -> Any:
        """The value when unset in `environment`, or MISSING when there is none."""
        return self.defaults.get(environment, self.defaults.get("*", MISSING))


def variable(
    description: str,
    parse: Callable[[str], Any],
    *,
    required: Iterable[str] = (),
    default: Any = MISSING,
    defaults: dict[str, Any] | None = None,
    refuse: Callable[[Any], str | None] | None = None,
    secret: bool = False,
    example: str = "",
    unit: str = "",
) -> Any:
    """Declare a dataclass field that `read()` fills from the variable of the same name.

    `parse` turns the text into a value and raises `ValueError` with a phrase that completes
    "NAME …"; the phrase must never contain the value. A secret may also come from the file that
    NAME_FILE names, and has no default. `refuse` is asked in deployed environments only.
    """
    if secret and (default is not MISSING and default is not None and default != []):
        raise TypeError("a secret has no default")
    by_environment = dict(defaults or {})
    if default is not MISSING:
        by_environment.setdefault("*", default)
    return dataclasses.field(
        metadata={
            _KEY: {
                "description": description,
                "parse": parse,
                "kind": getattr(parse, "kind", "text"),
                "required": frozenset(required),
                "defaults": by_environment,
                "refuse": refuse,
                "secret": secret,
                "example": example,
                "unit": unit,
            }
        }
    )


def declared(environment_class: type[Any]) -> list[Variable]:
    """The variables of a class, in the order in which they are declared."""
    return [
        Variable(name=field.name, **field.metadata[_KEY])
        for field in dataclasses.fields(environment_class)
        if _KEY in field.metadata
    ]
