"""What runs for a pull request: our make targets, with as few rights as they need."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.stack import BASE_DIR

WORKFLOWS = sorted((BASE_DIR / ".github" / "workflows").glob("*.yml"))
CI_PAGE = BASE_DIR / "docs" / "operations" / "ci.md"
GATES = {
    "check": ["check"],
    "test": ["packages", "test"],
    "migrations": ["lint-migrations"],
    "last-release": ["packages", "last-release"],
    "manifests": ["manifests"],
}
MAKE = re.compile(r"\bmake ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)*)")


def load(path: Path) -> dict[Any, Any]:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


def gitlab() -> str:
    snippet = re.search(r"```yaml\n(.*?)```", CI_PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert snippet
    return snippet[1]


def called(commands: list[str]) -> list[str]:
    return [target for line in commands for match in MAKE.findall(line) for target in match.split()]


def test_each_job_of_github_is_the_make_target_of_a_gate() -> None:
    jobs = load(BASE_DIR / ".github/workflows/ci.yml")["jobs"]
    found = {
        name: called([step["run"] for step in job["steps"] if "run" in step])
        for name, job in jobs.items()
    }
    assert found == GATES


def test_the_snippet_for_gitlab_has_the_same_jobs() -> None:
    document = yaml.safe_load(gitlab())
    found = {name: called(job["script"]) for name, job in document.items() if "script" in job}
    assert found == GATES


def test_the_snippet_for_gitlab_fits_its_schema(tmp_path: Path) -> None:
    snippet = tmp_path / ".gitlab-ci.yml"
    snippet.write_text(gitlab(), encoding="utf-8")
    tool = Path(sys.executable).with_name("check-jsonschema")
    finished = subprocess.run(
        [tool, "--builtin-schema", "vendor.gitlab-ci", snippet],
        check=False,
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stdout


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_has_no_right_that_a_job_does_not_ask_for(workflow: Path) -> None:
    assert load(workflow)["permissions"] == {}


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_job_ends_and_an_action_stands_by_its_commit(workflow: Path) -> None:
    for job in load(workflow)["jobs"].values():
        assert job["timeout-minutes"] <= 60
    used = re.findall(r"uses: (.*)", workflow.read_text(encoding="utf-8"))
    assert used
    assert [one for one in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d[\d.]*", one)] == []


def test_a_release_is_a_week_old_before_it_is_proposed() -> None:
    for update in load(BASE_DIR / ".github/dependabot.yml")["updates"]:
        assert update["cooldown"]["default-days"] == 7
