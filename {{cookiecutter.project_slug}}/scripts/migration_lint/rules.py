"""What is refused: what it breaks, what is safe instead, and where the recipe stands.

A rule has squawk's name where squawk finds it. A rule of squawk that is not here is refused as
well, in squawk's words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PAGE = "docs/operations/migrations.md"


@dataclass(frozen=True)
class Rule:
    """`heading` is the one in `PAGE` under which the recipe stands."""

    name: str
    heading: str
    breaks: str
    instead: str

    @property
    def page(self) -> str:
        return f"{PAGE}#{anchor(self.heading)}"


def anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


_ALL = [
    Rule(
        "ban-drop-column",
        "Drop a column",
        "the code of the last release still selects the column: its every query fails.",
        "take the field out of the state in this release, drop the column in the next.",
    ),
    Rule(
        "required-column-left-behind",
        "Drop a column",
        "the new code inserts rows without the column, and the database has no value for it.",
        "give the field a db_default, or make it nullable, before it leaves the state.",
    ),
    Rule(
        "ban-drop-table",
        "Drop a table",
        "the code of the last release still reads the table.",
        "take the model out of the state in this release, drop the table in the next.",
    ),
    Rule(
        "renaming-column",
        "Rename a column",
        "old and new code run side by side, and one of them names a column that is not there.",
        "rename the field alone and keep the column by db_column.",
    ),
    Rule(
        "renaming-table",
        "Rename a table",
        "old and new code run side by side, and one of them names a table that is not there.",
        "rename the model alone and keep the table by db_table.",
    ),
    Rule(
        "changing-column-type",
        "Change a column's type",
        "the table is rewritten, and nobody reads or writes it meanwhile.",
        "add a second column, write both, copy the rows, read the new one, drop the old one.",
    ),
    Rule(
        "adding-not-nullable-field",
        "Make a column NOT NULL",
        "every row is read while nobody else may read or write the table.",
        "add a CHECK that is not valid, validate it in the next migration, then SET NOT NULL.",
    ),
    Rule(
        "ban-drop-default",
        "Add a required column",
        "the database forgets the default, so inserts of the code of the last release fail.",
        "give the field db_default instead of default; in a later release it may go.",
    ),
    Rule(
        "adding-required-field",
        "Add a required column",
        "rows that are there have no value, and the code of the last release gives none.",
        "give the field a db_default.",
    ),
    Rule(
        "adding-field-with-default",
        "Add a column that every row computes",
        "the table is rewritten, and nobody reads or writes it meanwhile.",
        "add it nullable, give it the default in a second step, fill the old rows in batches.",
    ),
    Rule(
        "require-concurrent-index-creation",
        "Add or remove an index",
        "nobody writes the table while the index is built.",
        "AddIndexConcurrently, in a migration of its own with atomic = False.",
    ),
    Rule(
        "require-concurrent-index-deletion",
        "Add or remove an index",
        "the drop waits for running queries, and everybody else waits behind it.",
        "RemoveIndexConcurrently, in a migration of its own with atomic = False.",
    ),
    Rule(
        "concurrently-in-transaction",
        "Add or remove an index",
        "PostgreSQL refuses CONCURRENTLY inside a transaction: the release stops here.",
        "set atomic = False on a migration that holds nothing else.",
    ),
    Rule(
        "non-atomic-schema-change",
        "Add or remove an index",
        "without a transaction, a failure half-way leaves a schema that no migration describes.",
        "move this into a migration with a transaction; CONCURRENTLY alone goes without one.",
    ),
    Rule(
        "adding-foreign-key-constraint",
        "Add a foreign key",
        "every row is checked while nobody writes this table or the one it points to.",
        "add the column without constraint and index, then each in a migration of its own.",
    ),
    Rule(
        "constraint-missing-not-valid",
        "Add a check",
        "every row is checked while nobody else reads or writes the table.",
        "AddConstraintNotValid, and ValidateConstraint in the next migration.",
    ),
    Rule(
        "disallowed-unique-constraint",
        "Add a unique constraint",
        "the index is built while nobody else reads or writes the table.",
        "build the unique index CONCURRENTLY, then make the constraint of it.",
    ),
    Rule(
        "prefer-jsonb",
        "Add a JSON column",
        "json has no equality: SELECT DISTINCT and GROUP BY over the table fail.",
        "models.JSONField, which is jsonb.",
    ),
    Rule(
        "no-phase",
        "Expand or contract",
        "nobody can tell whether the code of the last release lives with it, nor when it may run.",
        "begin its docstring with Expand: or Contract:, and say what; for a contract, since which "
        "release no code uses it.",
    ),
    Rule(
        "destructive-expand",
        "Expand or contract",
        "what is dropped or renamed is still used by the code of the last release: none may allow "
        "it here.",
        "move it to a migration of a later release whose docstring begins with Contract:.",
    ),
    Rule(
        "irreversible",
        "Change rows",
        "a release that has to go back stops here.",
        "give RunPython a reverse_code (RunPython.noop is one), RunSQL a reverse_sql.",
    ),
    Rule(
        "data-with-schema-change",
        "Change rows",
        "the lock of the schema change is held until the last row is changed.",
        "change the schema in one migration and the rows in the next.",
    ),
    Rule(
        "imported-model",
        "Change rows",
        "the model of tomorrow's code is not the table of this migration: a later field breaks it.",
        'apps.get_model("app", "Model") inside the function.',
    ),
    Rule(
        "cannot-be-applied",
        "Run by itself",
        "it fails on an empty database, so nothing after it could be judged.",
        "mend the migration: tests and new installations start from an empty database too.",
    ),
    Rule(
        "allowance-without-reason",
        "Allow what a rule refuses",
        "nobody can tell later why this was harmless.",
        "# allow rule-name: why it is harmless in this release.",
    ),
    Rule(
        "unused-allowance",
        "Allow what a rule refuses",
        "it permits what is not there, and would permit it to the next who edits this file.",
        "delete the comment, or put it directly above the operation that it is about.",
    ),
]
RULES = {rule.name: rule for rule in _ALL}
