"""Each dangerous migration of cases/ is refused by its rule; its safe twin passes and applies."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from scripts.migration_lint.rules import RULES
from tests.integration.migration_lint.conftest import CASES, Lint

DANGEROUS = {
    "a_column_without_a_transaction": {"non-atomic-schema-change"},
    "add_a_check": {"constraint-missing-not-valid"},
    "add_a_computed_column": {"adding-field-with-default"},
    "add_a_foreign_key": {"adding-foreign-key-constraint", "require-concurrent-index-creation"},
    "add_a_generated_column": {"adding-field-with-default"},
    "add_a_json_column": {"prefer-jsonb"},
    "add_a_required_column": {"ban-drop-default"},
    "add_a_required_column_by_hand": {"adding-required-field"},
    "add_a_unique_constraint": {"disallowed-unique-constraint"},
    "add_an_index": {"require-concurrent-index-creation"},
    "change_a_type": {"changing-column-type"},
    "concurrently_in_a_transaction": {"concurrently-in-transaction"},
    "concurrently_in_a_transaction_by_hand": {"concurrently-in-transaction"},
    "drop_a_column": {"ban-drop-column"},
    "drop_a_table": {"ban-drop-table"},
    "fill_rows_beside_a_schema_change": {"data-with-schema-change"},
    "import_a_model": {"imported-model"},
    "leave_a_required_column_behind": {"required-column-left-behind"},
    "make_a_column_not_null": {"adding-not-nullable-field"},
    "remove_an_index": {"require-concurrent-index-deletion"},
    "rename_a_column": {"renaming-column"},
    "rename_a_table": {"renaming-table"},
    "run_python_that_cannot_go_back": {"irreversible"},
    "run_sql_that_cannot_go_back": {"irreversible"},
    "validate_in_the_same_transaction": {"constraint-missing-not-valid"},
}
SAFE = sorted({path.parent.name for path in CASES.glob("*/*_safe.py")})


def test_every_case_is_run_and_there_are_as_many_as_were_promised() -> None:
    assert {path.parent.name for path in CASES.glob("*/*_dangerous.py")} == set(DANGEROUS)
    assert len(DANGEROUS) >= 12
    assert len(SAFE) >= 6


@pytest.mark.parametrize("case", DANGEROUS)
def test_a_dangerous_migration_is_refused(case: str, package: Path, refused: Lint) -> None:
    shutil.copy(CASES / case / "0002_dangerous.py", package)
    refusals = refused()
    assert {each.rule for each in refusals} == DANGEROUS[case]
    for each in refusals:
        rule = RULES[each.rule]
        assert each.path.name == "0002_dangerous.py"
        assert rule.instead in str(each)
        assert str(each).endswith(f"See {rule.page}")


@pytest.mark.parametrize("case", SAFE)
def test_its_safe_twin_is_applied_and_passes(case: str, package: Path, refused: Lint) -> None:
    for path in CASES.glob(f"{case}/*_safe.py"):
        shutil.copy(path, package)
    assert [str(each) for each in refused()] == []
