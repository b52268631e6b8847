"""`manage.py drop_column app.Model.field`: write the migration by which code forgets a column."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.migrations import Migration
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState
from django.db.migrations.writer import MigrationWriter

from core.migrate.columns import NotDroppableError, field_of, leave

PAGE = "docs/operations/migrations.md#drop-a-column"
# Days until CI asks for the drop: some releases, so that a roll-back has gone past it.
UNTIL_CONTRACT = 30
EX_USAGE = 64


class Command(BaseCommand):
    """The column stays, for the code of the last release; a dated comment says when it may go.

    The drop itself is written by hand, in the next release: Django has forgotten the field by then.
    """

    help = (
        "Write the first migration of dropping a column: the code forgets it, the table keeps it."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("field", help="app.Model.field")
        parser.add_argument(
            "--days", type=int, default=UNTIL_CONTRACT, help="after which CI asks for the drop"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        loader = MigrationLoader(None)
        try:
            app_label, model, name, field = field_of(loader.project_state(), options["field"])
        except NotDroppableError as error:
            raise CommandError(str(error), returncode=EX_USAGE) from None
        leaves = loader.graph.leaf_nodes(app_label)
        if len(leaves) > 1:
            raise CommandError("Two migrations end this app: run  manage.py makemigrations --merge")
        migration = Migration(_next_name(leaves[0][1], name), app_label)
        vars(migration).update(dependencies=[leaves[0]], operations=leave(model, name, field))
        # A field of the migrations is bound to no model, and does not know its own name.
        column = field.db_column or (f"{name}_id" if field.is_relation else name)
        due = datetime.now(UTC).date() + timedelta(days=options["days"])
        writer = MigrationWriter(migration)
        path = Path(writer.path)
        if "site-packages" in path.parts:
            raise CommandError(f"{app_label} is a package of somebody else's.", returncode=EX_USAGE)
        path.write_text(_text(writer.as_string(), model, column, due), encoding="utf-8")
        self.stdout.write(f"{path}\nNow take {name} out of the model, and out of the code.")


def _next_name(last: str, field: str) -> str:
    number = (MigrationAutodetector.parse_number(last) or 0) + 1
    return f"{number:04d}_forget_{field}"


def _text(source: str, model: ModelState, column: str, due: date) -> str:
    """With the docstring and the reminder that the checks read."""
    table = model.options.get("db_table") or f"{model.app_label}_{model.name_lower}"
    docstring = (
        f'"""Expand: new code does not know {table}.{column}; the column stays for old code."""'
    )
    reminder = f"    # contract by {due.isoformat()}: drop {table}.{column}, see {PAGE}\n"
    return f"{docstring}\n\n" + source.replace(
        "    operations = [", f"{reminder}    operations = ["
    )
