"""`make check` says which contract is overdue, and what to do."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from scripts.migration_lint.reminders import overdue

TODAY = date(2026, 11, 30)


def told(root: Path, comment: str) -> list[str]:
    folder = root / "apps" / "warehouse" / "migrations"
    folder.mkdir(parents=True)
    (folder / "0002_forget_note.py").write_text(f'"""Expand: a."""\n\n    {comment}\n')
    return list(overdue(root, TODAY))


def test_a_day_that_has_passed_is_one_line_with_place_and_remedy(tmp_path: Path) -> None:
    (line,) = told(tmp_path, "# contract by 2026-11-29: drop warehouse_item.note")
    assert line == (
        "apps/warehouse/migrations/0002_forget_note.py:3: 2026-11-29 has passed: drop "
        "warehouse_item.note. Write that migration and delete this comment, or give it a later day "
        "and say why."
    )


@pytest.mark.parametrize("day", ["2026-11-30", "2027-01-01"])
def test_a_day_that_has_not_passed_is_silent(tmp_path: Path, day: str) -> None:
    assert told(tmp_path, f"# contract by {day}: drop warehouse_item.note") == []


def test_a_day_that_is_none_is_one_line(tmp_path: Path) -> None:
    (line,) = told(tmp_path, "# contract by 30.11.2026: drop it")
    assert line.endswith("'30.11.2026' is no day, as 2026-12-30 is.")
