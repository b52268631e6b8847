"""Young migrations of our own, as PostgreSQL ran them, by every rule that squawk has."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from django.db.migrations.loader import MigrationLoader

from scripts.migration_lint.baseline import BaselineError, baseline, judged
from tests.integration.migration_lint.conftest import CASES, Lint

MIGRATION = """'{phase}'
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("warehouse", "{before}")]
    operations = [{operations}]
"""


EXPAND = "Expand: of a test."
CONTRACT = "Contract: of a test, which no code uses since release 1."


def write(
    package: Path,
    name: str,
    operations: str,
    before: str = "0001_initial",
    phase: str = CONTRACT,
) -> None:
    text = MIGRATION.format(before=before, operations=operations, phase=phase)
    (package / f"{name}.py").write_text(text, encoding="utf-8")


def test_a_rule_without_a_recipe_refuses_in_the_words_and_by_the_page_of_squawk(
    package: Path, refused: Lint
) -> None:
    sql = "ALTER TABLE warehouse_item ADD COLUMN kind char(3)"
    write(package, "0002_char", f'migrations.RunSQL("{sql}", migrations.RunSQL.noop)')
    (refusal,) = refused()
    assert refusal.rule == "ban-char-field"
    assert "should almost always be replaced" in str(refusal)
    assert str(refusal).endswith("See https://squawkhq.com/docs/ban-char-field")


def test_a_table_that_the_same_migration_makes_is_nobodys_yet(package: Path, refused: Lint) -> None:
    write(
        package,
        "0002_new_table",
        """
        migrations.CreateModel("Box", [("id", models.BigAutoField(primary_key=True))]),
        migrations.AddField("box", "shelf", models.ForeignKey("shelf", models.CASCADE)),
        migrations.AddField("box", "size", models.IntegerField(default=1)),
        migrations.AddIndex("box", models.Index(fields=["size"], name="box_size")),
        """,
    )
    assert refused() == []


def test_what_django_looks_up_in_the_database_is_judged_too(package: Path, refused: Lint) -> None:
    """sqlmigrate raises here, or leaves the statement out: the constraint's name is the table's."""
    write(package, "0002_once", 'migrations.AlterUniqueTogether("item", {("code", "weight")})')
    write(package, "0003_not", 'migrations.AlterUniqueTogether("item", set())', "0002_once")
    write(package, "0004_drop", 'migrations.RemoveField("item", "weight")', "0003_not")
    refusals = refused(warehouse="0002_once")
    assert [(each.path.name, each.rule) for each in refusals] == [
        ("0004_drop.py", "ban-drop-column")
    ]


def test_not_null_passes_after_the_check_is_valid_and_not_before(
    package: Path, refused: Lint
) -> None:
    case = CASES / "make_a_column_not_null"
    shutil.copy(case / "0002_safe.py", package)
    text = (case / "0004_safe.py").read_text().replace("0003_safe", "0002_safe")
    (package / "0003_too_early.py").write_text(text)
    assert [each.rule for each in refused()] == ["adding-not-nullable-field"]


def test_a_column_that_is_called_json_may_be_jsonb(package: Path, refused: Lint) -> None:
    write(package, "0002_json", 'migrations.AddField("item", "json", models.JSONField(null=True))')
    assert refused() == []


def test_a_model_is_found_however_it_is_imported(package: Path, refused: Lint) -> None:
    write(package, "0002_imports", "")
    path = package / "0002_imports.py"
    path.write_text(
        "'Expand: of a test.'\n"
        "import django.contrib.auth.models\n"
        "from django.contrib.auth import models as auth\n\n\n"
        "def fill(apps, schema_editor):\n"
        "    return auth.Group, django.contrib.auth.models.Group, auth.UserManager\n\n"
        + path.read_text()
    )
    assert [(each.rule, each.line) for each in refused()] == [("imported-model", 7)]


def test_a_migration_that_fails_is_refused_and_ends_the_run(package: Path, refused: Lint) -> None:
    sql = "ALTER TABLE no_such_table ADD COLUMN a int"
    write(package, "0002_typo", f'migrations.RunSQL("{sql}", migrations.RunSQL.noop)')
    write(package, "0003_drop", 'migrations.RemoveField("item", "note")', "0002_typo")
    (refusal,) = refused()
    assert (refusal.path.name, refusal.rule) == ("0002_typo.py", "cannot-be-applied")
    assert 'relation "no_such_table" does not exist' in refusal.detail


def test_an_accepted_migration_is_not_judged_and_those_after_it_are(
    package: Path, refused: Lint
) -> None:
    write(package, "0002_drop", 'migrations.RemoveField("item", "note")')
    shutil.copy(CASES / "add_an_index" / "0002_safe.py", package / "0003_later.py")
    later = (package / "0003_later.py").read_text().replace("0001_initial", "0002_drop")
    (package / "0003_later.py").write_text(later.replace("atomic = False", ""))
    assert [each.path.name for each in refused(warehouse="0002_drop")] == ["0003_later.py"]


def test_a_baseline_accepts_what_there_is(package: Path) -> None:
    loader = MigrationLoader(None)
    table = baseline(loader, ["warehouse"])
    assert table == '[tool.migration-lint.accepted]\nwarehouse = "0001_initial"'
    assert judged(loader, ["warehouse"], {"warehouse": "0001_initial"}) == set()


@pytest.mark.parametrize("accepted", [{"warehouse": "0009_gone"}, {"no_such_app": "0001_initial"}])
def test_a_baseline_that_names_nothing_is_an_error(accepted: dict[str, str], package: Path) -> None:
    loader = MigrationLoader(None)
    with pytest.raises(BaselineError, match="no such migration: correct the line, or delete it"):
        judged(loader, ["warehouse"], accepted)


@pytest.mark.parametrize(
    "phase",
    ["", "Generated by hand", "Expand:", "expand: a column", "Contract: drops the column note"],
)
def test_a_migration_that_does_not_say_its_phase_is_refused(
    package: Path, refused: Lint, phase: str
) -> None:
    write(package, "0002_labels", "", phase=phase)
    (refusal,) = refused()
    assert (refusal.rule, refusal.line) == ("no-phase", 1)


@pytest.mark.parametrize(
    ("phase", "rules"), [(CONTRACT, []), (EXPAND, ["destructive-expand"])], ids=["late", "early"]
)
def test_no_comment_allows_to_drop_what_the_last_release_uses(
    package: Path, refused: Lint, phase: str, rules: list[str]
) -> None:
    allowed = """
        # allow ban-drop-column: nobody reads it
        migrations.RunSQL("ALTER TABLE warehouse_item DROP COLUMN note", migrations.RunSQL.noop),
    """
    write(package, "0002_drop", allowed, phase=phase)
    assert [each.rule for each in refused()] == rules
