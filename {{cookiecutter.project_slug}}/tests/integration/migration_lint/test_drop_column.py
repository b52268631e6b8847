"""`manage.py drop_column` writes a migration that the lint accepts, or says why not in a line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db.migrations.loader import MigrationLoader

from core.migrate.management.commands.drop_column import Command
from tests.integration.migration_lint.conftest import Lint


def drop(field: str) -> None:
    call_command(Command(), field)  # by its class: the app around it is not installed here


def test_what_it_writes_passes_the_lint_and_reminds_of_the_drop(
    package: Path, refused: Lint, capsys: pytest.CaptureFixture[str]
) -> None:
    drop("warehouse.Item.note")
    text = (package / "0002_forget_note.py").read_text()
    day = datetime.now(UTC).date() + timedelta(days=30)
    assert text.startswith('"""Expand: new code does not know warehouse_item.note; ')
    assert (
        f"    # contract by {day}: drop warehouse_item.note, "
        "see docs/operations/migrations.md#drop-a-column\n"
    ) in text
    assert "models.TextField(db_default='', default='')" in text
    assert str(package / "0002_forget_note.py") in capsys.readouterr().out
    assert refused() == []
    assert "note" not in MigrationLoader(None).project_state().models["warehouse", "item"].fields


def test_a_column_without_a_value_for_all_becomes_nullable(package: Path, refused: Lint) -> None:
    drop("warehouse.Item.received_at")
    text = (package / "0002_forget_received_at.py").read_text()
    assert "models.DateTimeField(db_index=True, null=True)" in text
    assert refused() == []


def test_a_nullable_column_stays_as_it_is(package: Path, refused: Lint) -> None:
    drop("warehouse.Item.weight")
    assert "AlterField" not in (package / "0002_forget_weight.py").read_text()
    assert refused() == []


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ("note", "'note' is not app.Model.field, as warehouse.Item.note is."),
        ("warehouse.Nothing.note", "The migrations know no model warehouse.Nothing."),
        ("nowhere.Item.note", "The migrations know no model nowhere.Item."),
        (
            "warehouse.Shelf.typo",
            "The migrations know no field typo of warehouse.Shelf; they know id, place.",
        ),
        ("warehouse.Item.id", "warehouse.Item.id is the primary key: see Drop a table."),
        (
            "warehouse.Item.code",
            "item_code names code: take that away in a migration before this one.",
        ),
    ],
)
def test_what_it_cannot_do_is_one_line_and_writes_nothing(
    package: Path, field: str, reason: str
) -> None:
    with pytest.raises(CommandError) as error:
        drop(field)
    assert (str(error.value), error.value.returncode) == (reason, 64)
    assert [path.name for path in package.glob("0*.py")] == ["0001_initial.py"]
