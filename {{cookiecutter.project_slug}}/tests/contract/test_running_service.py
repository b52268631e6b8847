"""schemathesis calls the real web process as the OpenAPI document says, and as it does not.

Each caller's run covers boundaries, invalid data, methods that do not exist, missing and wrong
credentials; how it calls stands in schemathesis.toml and hooks.py.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.conftest import RunAs
from tests.contract.fuzzing import CALLERS, Operation, Run, succeeded, total


@pytest.mark.parametrize("caller", CALLERS)
def test_every_answer_is_as_the_document_says_and_none_is_a_5xx(caller: str, run_as: RunAs) -> None:
    run = run_as(caller)
    assert not run.failed, f"\n{run.output}"
    assert [status for seen in run.statuses.values() for status in seen if status >= 500] == []


def test_every_operation_was_called_by_everybody(
    all_runs: list[Run], documented: dict[Operation, Any]
) -> None:
    for run in all_runs:
        assert set(documented) <= set(run.statuses), run.caller


def test_every_operation_succeeded_for_somebody(
    all_runs: list[Run], documented: dict[Operation, Any]
) -> None:
    """What only ever was refused was not tested: its scenario needs an example that succeeds."""
    blind = [each for each in documented if not succeeded(total(all_runs, each))]
    assert blind == []


def test_a_stranger_succeeds_where_the_document_asks_for_no_credential_and_nowhere_else(
    run_as: RunAs, documented: dict[Operation, Any]
) -> None:
    stranger = run_as("stranger")
    met = {each for each in documented if succeeded(stranger.statuses[each])}
    # An empty requirement, or none at all.
    open_to_all = {
        each for each, operation in documented.items() if {} in operation.get("security", [{}])
    }
    assert met == open_to_all
