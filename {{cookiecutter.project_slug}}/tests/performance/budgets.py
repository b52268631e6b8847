"""How many queries an operation may make: a number in `budgets.toml`, and a scenario that makes it.

Below this folder each `budgets.toml` has the numbers and each `scenarios.py` the scenarios of one
part of the service, so that an app and its budgets are deleted together. A key is the method and
the path of the OpenAPI document, with a query string where that changes what is asked; a list of
the admin by its address; or `task` and a task's name.

The number is exact. A budget that is not used up lets the next query in unseen, so whoever saves a
query lowers it in the same commit.

To lift it out: this file, `queries.py` (which says what was weighed) and `test_query_budgets.py`;
without Celery or Django's admin, drop the few lines that name them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from django.test import Client

from config.celery import app
from tests.performance.queries import Query, recorded, told

HERE = Path(__file__).resolve().parent
TASK = "task "


@dataclass(frozen=True)
class Call:
    """A success that is ready to happen: who calls, with what, or the arguments of a task."""

    user: Any = None
    path: Mapping[str, Any] = field(default_factory=dict)  # by the document's names
    query: str = ""  # what changes the rows and not the queries: page_size=100
    body: Any = None
    content_type: str = "application/json"
    args: tuple[Any, ...] = ()
    # Adds one row to what is listed; the first is added before anything is counted.
    more: Callable[[], object] | None = None


class Scenario:
    """How one operation succeeds."""

    def __init__(self, name: str, prepare: Callable[[], Call]) -> None:
        self.name = name
        self._prepare = prepare
        self.file = Path(prepare.__code__.co_filename).with_name("budgets.toml")

    def prepare(self) -> Call:
        """Make its rows: anew each time."""
        call = self._prepare()
        if call.more:
            call.more()
        return call

    def perform(self, call: Call) -> tuple[Any, list[Query]]:
        """What it answered, and what it asked."""
        if self.name.startswith(TASK):
            task = app.tasks[self.name.removeprefix(TASK)]
            with recorded() as queries:
                result = task.apply(call.args, throw=True)
            return result, queries
        method, _, address = self.name.partition(" ")
        path, _, query = address.partition("?")
        url = f"{path.format(**call.path)}?{'&'.join(filter(None, (query, call.query)))}"
        client = Client()
        if call.user:
            client.force_login(call.user)
        sent = {} if method == "GET" else {"data": call.body, "content_type": call.content_type}
        with recorded() as queries:
            response = getattr(client, method.lower())(url, **sent)
        return response, queries

    def measure(self) -> tuple[Call, Any, list[Query]]:
        """Performed once before, so that sessions and whatever a process keeps are warm."""
        call = self.prepare()
        self.perform(call)
        if not self.name.startswith("GET "):
            call = self.prepare()
        return (call, *self.perform(call))


SCENARIOS: dict[str, Scenario] = {}


def scenario(name: str) -> Callable[[Callable[[], Call]], Callable[[], Call]]:
    """Register how the operation `name` succeeds."""

    def register(prepare: Callable[[], Call]) -> Callable[[], Call]:
        assert name not in SCENARIOS, f"{name} has two scenarios."
        SCENARIOS[name] = Scenario(name, prepare)
        return prepare

    return register


def load() -> dict[str, int]:
    """The budgets of every file below this folder, their scenarios registered."""
    budgets: dict[str, int] = {}
    for file in sorted(HERE.rglob("scenarios.py")):
        import_module(".".join(file.relative_to(HERE.parents[1]).with_suffix("").parts))
    for file in sorted(HERE.rglob("budgets.toml")):
        found = tomllib.loads(file.read_text(encoding="utf-8"))
        assert not found.keys() & budgets.keys(), f"{found.keys() & budgets.keys()} stand twice."
        budgets |= found
    return budgets


def verdict(scenario: Scenario, queries: list[Query], budget: int | None) -> str | None:
    """What is wrong and what to write; None when the budget is met exactly."""
    if len(queries) == budget:
        return None
    name, file = scenario.name, scenario.file.relative_to(HERE.parents[1])
    line = f'    "{name}" = {len(queries)}'
    if budget is None:
        remedy = f"no budget. If that is what it should make, add to {file}:\n{line}"
    elif len(queries) < budget:
        remedy = f"a budget of {budget}. Lower it in {file}:\n{line}"
    else:
        remedy = f"a budget of {budget}, in {file}."
    return f"{name} makes {len(queries)} queries and has {remedy}\n{told(queries)}"
