"""Read every declared variable and report all problems together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from core.environment.variables import MISSING, Variable, declared

EnvironmentClass = TypeVar("EnvironmentClass")


class InvalidEnvironmentError(Exception):
    """The environment cannot start the service; `problems` names every variable at fault.

    The text never holds a value: it is printed where logs are kept.
    """

    def __init__(self, environment: str, problems: list[str], hint: str = "") -> None:
        self.environment = environment
        self.problems = problems
        lines = [
            f"The {environment} environment is not valid: {len(problems)} "
            + ("problem." if len(problems) == 1 else "problems."),
            *(f"  {problem}" for problem in problems),
        ]
        super().__init__("\n".join([*lines, hint] if hint else lines))


def read[EnvironmentClass](
    environment_class: type[EnvironmentClass],
    source: Mapping[str, str],
    *,
    environment: str,
    deployed: bool,
    rules: Iterable[Callable[[Mapping[str, Any]], str | None]] = (),
    hint: str = "",
) -> EnvironmentClass:
    """Build `environment_class` from `source`.

    `deployed` turns on what only a deployed environment refuses; `rules` are asked there too, with
    every value that could be read, and each returns a problem or None.

    Raises `InvalidEnvironmentError`.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for each in declared(environment_class):
        try:
            values[each.name] = _value(each, source, environment, deployed=deployed)
        except ValueError as problem:
            problems.append(f"{each.name} {problem}")
    if deployed:
        problems += [found for rule in rules if (found := rule(values))]
    if problems:
        raise InvalidEnvironmentError(environment, problems, hint)
    return environment_class(**values)


def _value(each: Variable, source: Mapping[str, str], environment: str, *, deployed: bool) -> Any:
    text = _text(each, source)
    if text is None:
        if environment in each.required:
            raise ValueError(
                f"is missing: {_lower_first(each.description)} "
                f"Required in {_words(sorted(each.required))}."
            )
        default = each.default(environment)
        if default is MISSING:
            raise ValueError(f"is missing: {_lower_first(each.description)}")
        value = each.parse(default) if isinstance(default, str) else default
    else:
        value = each.parse(text)
    if deployed and each.refuse is not None and (reason := each.refuse(value)):
        raise ValueError(f"{reason} (refused in {environment}).")
    return value


def _text(each: Variable, source: Mapping[str, str]) -> str | None:
    text = source.get(each.name)
    if not each.secret:
        return text if text is None or text.strip() else None
    path = source.get(f"{each.name}_FILE")
    if not path:
        return text if text is None or text.strip() else None
    if text:
        raise ValueError(f"is set twice: unset it or {each.name}_FILE.")
    try:
        content = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(
            f"cannot be read from the file that {each.name}_FILE names: {type(error).__name__}."
        ) from None
    if not content.strip():
        raise ValueError(f"is empty in the file that {each.name}_FILE names.")
    return content


def _words(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def _lower_first(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
