"""docs/operations/migrations.md has the recipe of every rule, in code that is tested."""

from __future__ import annotations

import re

import pytest

from scripts.migration_lint.rules import PAGE, RULES, Rule, anchor
from scripts.migration_lint.squawk import POSTGRESQL
from tests.stack import BASE_DIR

TEXT = (BASE_DIR / PAGE).read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+)\n((?:(?!## ).*\n)*)", TEXT, re.MULTILINE))
CASES = [
    path.read_text(encoding="utf-8")
    for path in (BASE_DIR / "tests/integration/migration_lint/cases").glob("*/*_safe.py")
]


def written(code: str) -> str:
    """`code` however it is wrapped, without what a case says of its place in the chain."""
    without_place = re.sub(r"dependencies = .*", "", code)
    return re.sub(r",(?=[)\]}])", "", "".join(without_place.split()))


def test_squawk_judges_for_the_oldest_postgresql_that_is_supported() -> None:
    roles = (BASE_DIR / "deploy/postgres/roles.sql").read_text(encoding="utf-8")
    assert f"-- PostgreSQL {POSTGRESQL} to " in roles


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_a_rule_names_the_section_that_names_it(rule: Rule) -> None:
    assert f"`{rule.name}`" in SECTIONS[rule.heading]


def test_an_anchor_is_that_of_one_heading() -> None:
    anchors = [anchor(heading) for heading in re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)]
    assert len(set(anchors)) == len(anchors)
    assert {rule.page for rule in RULES.values()} <= {f"{PAGE}#{each}" for each in anchors}


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL))
def test_a_recipe_is_a_safe_case_of_the_lint(code: str) -> None:
    assert any(written(code) in written(case) for case in CASES)
