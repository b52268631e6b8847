"""A comment allows a rule where it stands, with a reason, and only what is there."""

from __future__ import annotations

from pathlib import Path

from tests.integration.migration_lint.conftest import Lint

TWO_DROPS = """'Contract: no code reads them since release 1.'
from django.db import migrations
{above}

class Migration(migrations.Migration):
    dependencies = [("warehouse", "0001_initial")]

    operations = [
        {first}
        migrations.RemoveField("item", "note"),
        migrations.RemoveField("item", "weight"),
    ]
"""
REASON = "# allow ban-drop-column: nobody reads it"


def write(package: Path, *, above: str = "", first: str = "") -> None:
    text = TWO_DROPS.format(above=above, first=first)
    (package / "0002_two_drops.py").write_text(text, encoding="utf-8")


def test_it_allows_the_operation_below_it_and_no_other(package: Path, refused: Lint) -> None:
    write(package, first=REASON)
    (refusal,) = refused()
    assert (refusal.what, refusal.rule) == ("RemoveField(item, weight)", "ban-drop-column")
    assert refusal.line == 11


def test_outside_of_the_operations_it_allows_the_whole_migration(
    package: Path, refused: Lint
) -> None:
    write(package, above=REASON)
    assert refused() == []


def test_one_without_a_reason_is_refused(package: Path, refused: Lint) -> None:
    write(package, above="# allow ban-drop-column")
    (refusal,) = refused()
    assert (refusal.rule, refusal.line) == ("allowance-without-reason", 3)


def test_one_that_nothing_needs_is_refused(package: Path, refused: Lint) -> None:
    write(package, above=REASON, first="# allow renaming-column: nobody names it")
    (refusal,) = refused()
    assert (refusal.rule, refusal.line) == ("unused-allowance", 9)
    assert refusal.what == "# allow renaming-column"


def test_none_allows_itself_nor_a_migration_that_fails(package: Path, refused: Lint) -> None:
    write(
        package,
        above="# allow unused-allowance: why not\n# allow cannot-be-applied: it does",
        first='migrations.RemoveField("item", "no_such_field"),',
    )
    assert {each.rule for each in refused()} == {"unused-allowance", "cannot-be-applied"}


def test_words_in_a_string_allow_nothing(package: Path, refused: Lint) -> None:
    write(package, above=f'NOTE = "{REASON}"')
    assert [each.rule for each in refused()] == ["ban-drop-column"] * 2
