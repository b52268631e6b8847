"""Every operation, admin list and task makes exactly the queries that its budget says.

What must have a budget is found where it is declared (the OpenAPI document, the admin's registry,
Celery's), so nothing new is forgotten; a list costs the same for 1 row and for 50.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.urls import reverse
from drf_spectacular.generators import SchemaGenerator

from config.celery import app
from tests.performance.budgets import SCENARIOS, TASK, load, verdict
from tests.performance.queries import told

BUDGETS = load()
METHODS = ("get", "post", "put", "patch", "delete")
ADVICE = "Write how it succeeds in the scenarios.py of its part, below tests/performance/."


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return dict(SchemaGenerator().get_schema(request=None, public=True))  # type: ignore[no-untyped-call]


@pytest.fixture(autouse=True, scope="module")
def _tasks_of_a_worker() -> None:
    """Registered as a worker has them; without system checks, one of which asks the database."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CELERY_SKIP_CHECKS", "true")
        app.loader.import_default_modules()


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": item[method]
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    }


def admin_lists() -> set[str]:
    names = [f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry]
    return {f"GET {reverse(f'admin:{name}_changelist')}" for name in names}


def tasks() -> set[str]:
    return {TASK + name for name in app.tasks if name.startswith(("core.", "apps."))}


def operation(name: str) -> str:
    return name.partition("?")[0]


def rows(answer: Any) -> int | None:
    """How many rows a list answered with; None for what is no list."""
    if getattr(answer, "context", None) and "cl" in answer.context:
        return len(answer.context["cl"].result_list)
    if not getattr(answer, "content", b""):
        return None
    body = answer.json()
    found = body.get("results") if isinstance(body, dict) else body
    return len(found) if isinstance(found, list) else None


@pytest.mark.django_db
@pytest.mark.parametrize("name", SCENARIOS)
def test_it_makes_exactly_the_queries_of_its_budget_and_as_many_for_50_rows(
    name: str, document: dict[str, Any]
) -> None:
    scenario = SCENARIOS[name]
    call, answer, queries = scenario.measure()
    if not name.startswith(TASK):
        described = operations(document).get(operation(name), {"responses": ["200"]})
        assert answer.status_code < 300, answer.content
        assert str(answer.status_code) in described["responses"]
    found = rows(answer)
    assert found is None or call.more, f"{name} answers with a list: its scenario needs `more`."
    if wrong := verdict(scenario, queries, BUDGETS.get(name)):
        pytest.fail(wrong, pytrace=False)
    if not call.more:
        return
    if not name.startswith("GET "):
        call = scenario.prepare()
    for _ in range(49):
        call.more()
    answer, of_fifty = scenario.perform(call)
    if found is not None:
        assert rows(answer) == found + 49, "The scenario has no page of 50 rows: see `Call.query`."
    if len(of_fifty) != len(queries):
        pytest.fail(
            f"{name} makes {len(queries)} queries for 1 row and {len(of_fifty)} for 50:\n"
            f"{told(of_fifty)}",
            pytrace=False,
        )


def test_every_operation_of_the_document_has_a_scenario(document: dict[str, Any]) -> None:
    missing = operations(document).keys() - {operation(name) for name in SCENARIOS}
    assert not missing, ADVICE


def test_every_list_of_the_admin_has_a_scenario() -> None:
    missing = admin_lists() - SCENARIOS.keys()
    assert not missing, ADVICE


def test_every_task_has_a_scenario() -> None:
    missing = tasks() - SCENARIOS.keys()
    assert not missing, ADVICE


def test_every_budget_and_every_scenario_is_of_something_that_exists(
    document: dict[str, Any],
) -> None:
    unused = BUDGETS.keys() - SCENARIOS.keys()
    assert not unused, "Delete these lines from their budgets.toml: they have no scenario."
    known = operations(document).keys() | admin_lists() | tasks()
    gone = {operation(name) for name in SCENARIOS} - known
    assert not gone, "Delete the scenarios of what is gone."
