"""What squawk says of the statements of each migration."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.migration_lint.replay import Replayed

# The oldest that the service supports: what is safe there is safe on every later one.
POSTGRESQL = "15"
EXCLUDED = {
    "transaction-nesting": "Each file says BEGIN, to tell squawk what Django does.",
    "prefer-text-field": "max_length is a rule of the product, and a longer one costs nothing.",
    "prefer-bigint-over-int": "The width of a number is its model's choice.",
    "prefer-bigint-over-smallint": "The width of a number is its model's choice.",
    "require-lock-timeout": "The role migrator has one (deploy/postgres/roles.sql).",
    "require-statement-timeout": "The role migrator has one (deploy/postgres/roles.sql).",
    "prefer-robust-stmts": "Django writes no IF NOT EXISTS, which would also keep a broken index.",
    "ban-drop-not-null": "Old code meets a NULL only after new code wrote one: the model's choice.",
    "ban-drop-constraint": "The last step of NOT NULL; whom a lost guarantee hurts, no SQL shows.",
}
# A constraint has one recipe. squawk says the second of each unique and foreign key too.
MORE_EXACT = {"adding-foreign-key-constraint", "disallowed-unique-constraint"}
GENERAL = "constraint-missing-not-valid"


class SquawkError(Exception):
    """squawk did not do its work; the message says why."""


@dataclass(frozen=True)
class Complaint:
    migration: Replayed
    statement: int
    rule: str
    words: str


def complaints(migrations: list[Replayed]) -> list[Complaint]:
    """Ask squawk once for all. Raises `SquawkError` when it cannot be run or understood."""
    with tempfile.TemporaryDirectory(prefix="migration-lint-") as folder:
        files = {}
        for number, migration in enumerate(migrations):
            path = Path(folder, f"{number}.sql")
            path.write_text(_script(migration), encoding="utf-8")
            files[str(path)] = migration
        found = _ask(list(files))
    result = [
        Complaint(
            files[each["file"]],
            _statement_at(files[each["file"]], each["line"]),
            each["rule_name"],
            " ".join(filter(None, (each["message"], each["help"]))),
        )
        for each in found
    ]
    exact = {(id(each.migration), each.statement) for each in result if each.rule in MORE_EXACT}
    return [
        each
        for each in result
        if each.rule != GENERAL or (id(each.migration), each.statement) not in exact
    ]


def _ask(paths: list[str]) -> list[dict[str, Any]]:
    if not paths:
        return []
    program = Path(sys.executable).parent / "squawk"
    try:
        done = subprocess.run(
            [
                program,
                "--reporter=json",
                f"--pg-version={POSTGRESQL}",
                f"--exclude={','.join(EXCLUDED)}",
                *paths,
            ],
            cwd=Path(paths[0]).parent,  # a .squawk.toml of the project would be a second list
            capture_output=True,
            text=True,
            check=False,
        )
        found: list[dict[str, Any]] = json.loads(done.stdout)
    except FileNotFoundError:
        raise SquawkError(f"{program} is missing: it comes with the dev group (`make`).") from None
    except json.JSONDecodeError:
        raise SquawkError(f"squawk failed: {done.stderr or done.stdout}") from None
    return found


def _script(migration: Replayed) -> str:
    lines = [statement.sql for statement in migration.statements]
    if migration.atomic:
        lines = ["BEGIN;", *lines, "COMMIT;"]
    return "\n".join(lines) + "\n"


def _statement_at(migration: Replayed, line: int) -> int:
    """The statement that stands on `line`, counted from 0, of the migration's script."""
    end = 1 if migration.atomic else 0
    for number, statement in enumerate(migration.statements):
        end += statement.sql.count("\n") + 1
        if line < end:
            return number
    return len(migration.statements) - 1
