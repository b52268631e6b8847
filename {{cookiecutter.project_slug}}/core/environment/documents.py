"""The declared variables as documents: `.env.example` and a reference page.

Both are written by `scripts/environment_docs.py`; a test fails when they are stale.
"""

from __future__ import annotations

from core.environment.variables import MISSING, Variable

_DEVELOPMENT = "development"


def reference(variables: list[Variable]) -> str:
    """A Markdown page with a row for each variable."""
    lines = [
        "# Environment variables",
        "",
        "Generated from `config/env.py` by `make docs`; change it there.",
        "",
        "A process that misses one, or finds a bad value, prints all problems in one message and",
        "exits with 78. A variable marked *secret* is also read from the file that `NAME_FILE`",
        "names.",
        "",
        "| Variable | Meaning | Value | Required in | Default |",
        "|---|---|---|---|---|",
    ]
    for each in variables:
        cells = (
            f"`{each.name}`" + (" *secret*" if each.secret else ""),
            each.description,
            each.kind + (f" ({each.unit})" if each.unit else ""),
            ", ".join(sorted(each.required)) or "-",
            _defaults(each),
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def dotenv_example(variables: list[Variable], values: dict[str, str]) -> str:
    """A commented `.env` for development.

    `values` are written; every other variable stands as a comment with its example or default.
    """
    blocks = [
        (
            "# Development only: other environments get their variables from the platform.\n"
            "# Generated from config/env.py by `make docs`; `make run` copies it to .env once.\n"
        )
    ]
    for each in variables:
        if each.name in values:
            assignment = f"{each.name}={values[each.name]}"
        else:
            assignment = f"# {each.name}={each.example or _plain(each.default(_DEVELOPMENT))}"
        blocks.append(f"# {each.description}\n{assignment}\n")
    return "\n".join(blocks)


def _defaults(each: Variable) -> str:
    if not each.defaults:
        return "-"
    shown = [
        (_code(value) if name == "*" else f"{_code(value)} in {name}")
        for name, value in each.defaults.items()
    ]
    return ", ".join(shown)


def _code(value: object) -> str:
    return f"`{_plain(value)}`" if _plain(value) else "empty"


def _plain(value: object) -> str:
    if value is MISSING or value is None or value == []:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value)
