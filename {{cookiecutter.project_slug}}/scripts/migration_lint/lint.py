"""Judge migrations, less what their authors allowed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import shorten

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader

from scripts.migration_lint import operations, squawk
from scripts.migration_lint.baseline import BASE_DIR
from scripts.migration_lint.replay import Replayed, replay
from scripts.migration_lint.rules import RULES
from scripts.migration_lint.source import Source

SQUAWK_PAGE = "https://squawkhq.com/docs/{rule}"
# What old code cannot live with, in whatever words somebody allowed it.
DESTRUCTIVE = {"ban-drop-column", "ban-drop-table", "renaming-column", "renaming-table"}
# What nobody can allow: what comes after a migration that fails is not judged.
FINAL = {"cannot-be-applied", "no-phase", "destructive-expand"}
CREATED = re.compile(r'\s*CREATE TABLE (?:IF NOT EXISTS )?("[^"]+"|\w+)', re.IGNORECASE)
CHANGED = re.compile(
    r'\s*(?:ALTER TABLE (?:ONLY )?|CREATE (?:UNIQUE )?INDEX .*? ON (?:ONLY )?)("[^"]+"|\w+)',
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Refusal:
    """A rule that a migration breaks, in `operation` or, where that is None, as a whole."""

    path: Path
    line: int
    operation: int | None
    what: str
    rule: str
    detail: str = ""

    @property
    def page(self) -> str:
        return RULES[self.rule].page if self.rule in RULES else SQUAWK_PAGE.format(rule=self.rule)

    def __str__(self) -> str:
        path = self.path.relative_to(BASE_DIR) if self.path.is_relative_to(BASE_DIR) else self.path
        lines = [f"{path}:{self.line}: {self.what}: {self.rule}"]
        lines += [self.detail] if self.detail else []
        if rule := RULES.get(self.rule):
            lines += [rule.breaks[0].upper() + rule.breaks[1:], f"Instead: {rule.instead}"]
        return "\n    ".join([*lines, f"See {self.page}"])


def lint(
    loader: MigrationLoader, connection: BaseDatabaseWrapper, judged: Collection[tuple[str, str]]
) -> list[Refusal]:
    """Every refusal, in the order of the migrations. `connection` leads to an empty database.

    Raises `SquawkError` when squawk cannot be run.
    """
    replayed = list(replay(loader, connection, judged))
    said = squawk.complaints([done for done in replayed if done.statements])
    return [
        refusal
        for done in replayed
        for refusal in _of(done, [each for each in said if each.migration is done])
    ]


def _of(done: Replayed, said: list[squawk.Complaint]) -> list[Refusal]:
    source = Source(done.migration)
    found: dict[object, Refusal] = {}
    for each in _found(done, said, source):  # a rule once for a place
        found.setdefault((each.operation, each.line, each.rule), each)
    for each in _out_of_phase(source, list(found.values())):
        found[each.operation, each.line, each.rule] = each
    kept = [
        each
        for each in found.values()
        if each.rule in FINAL
        or not any(given.covers(each.rule, each.operation) for given in source.allowances)
    ]
    for given in source.allowances:
        place = (source.path, given.line, given.operation, f"# allow {given.rule}")
        if not given.reason:
            kept.append(Refusal(*place, "allowance-without-reason"))
        elif not any(given.covers(each.rule, each.operation) for each in found.values()):
            kept.append(Refusal(*place, "unused-allowance"))
    return sorted(kept, key=lambda refusal: refusal.line)


def _out_of_phase(source: Source, found: list[Refusal]) -> Iterator[Refusal]:
    """What the docstring does not say, and what it says and the operations belie."""
    if source.phase is None:
        yield Refusal(source.path, 1, None, "its docstring", "no-phase")
    elif source.phase == "Expand":
        for each in found:
            if each.rule in DESTRUCTIVE:
                yield replace(each, rule="destructive-expand")


def _found(done: Replayed, said: list[squawk.Complaint], source: Source) -> Iterator[Refusal]:
    def refusal(operation: int, rule: str, detail: str = "") -> Refusal:
        what = _words(done.migration, operation)
        return Refusal(source.path, source.line(operation), operation, what, rule, detail)

    new_tables = {found[1] for each in done.statements if (found := CREATED.match(each.sql))}
    for each in said:
        statement = done.statements[each.statement]
        table = CHANGED.match(statement.sql)
        if (
            (statement.operation, each.rule) in done.harmless
            # Nobody uses a table that the same migration makes.
            or (table and table[1] in new_tables)
            # Nobody asks for an index by its name.
            or (each.rule == "renaming-object" and statement.sql.startswith("ALTER INDEX"))
        ):
            continue
        sql = shorten(statement.sql, 100, placeholder=" ...")
        words = "" if each.rule in RULES else f"\n    {each.words}"
        yield refusal(statement.operation, each.rule, sql + words)
    for operation, rule in operations.broken_rules(done):
        yield refusal(operation, rule)
    for line, name in source.imported_models():
        yield Refusal(source.path, line, None, name, "imported-model")
    if done.failed_in is not None:
        yield refusal(done.failed_in, "cannot-be-applied", done.failure)


def _words(migration: Migration, operation: int) -> str:
    """The operation as its author wrote it, as far as that names it."""
    each = migration.operations[operation]
    named = ("model_name", "name", "old_name", "new_name")
    values = [str(value) for name in named if isinstance(value := vars(each).get(name), str)]
    return f"{type(each).__name__}({', '.join(values)})"
