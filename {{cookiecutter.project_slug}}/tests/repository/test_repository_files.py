"""What a team expects at the root of a repository agrees with the service."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from config.env import Environment
from core.environment import declared
from tests.repository.test_workflows import GATES
from tests.stack import BASE_DIR

MAKEFILE = (BASE_DIR / "Makefile").read_text(encoding="utf-8")
START = (BASE_DIR / "scripts" / "start.sh").read_text(encoding="utf-8")
PROCFILE = (BASE_DIR / "Procfile").read_text(encoding="utf-8")
DEVCONTAINER = json.loads((BASE_DIR / ".devcontainer/devcontainer.json").read_text("utf-8"))
PAGES = [BASE_DIR / "README.md", *sorted((BASE_DIR / "docs").rglob("*.md"))]
# Of the tools, not of the service.
OF_TOOLS = {"CI", "UV_CACHE_DIR", "CI_PROJECT_DIR", "GIT_DEPTH"}


def text_of(path: str) -> str:
    return (BASE_DIR / path).read_text(encoding="utf-8")


def targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):.*## ", MAKEFILE, re.MULTILINE))


def test_every_make_target_that_a_job_or_a_hook_calls_exists() -> None:
    hooks = re.findall(r"entry: make ([a-z-]+)", text_of(".pre-commit-config.yaml"))
    container = DEVCONTAINER["postCreateCommand"].removeprefix("make ").split()
    jobs = [target for gate in GATES.values() for target in gate]
    assert hooks
    assert {*hooks, *container, *jobs} - targets() == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    named = re.findall(
        r"(?:^|[`|] ?)(?:CI=true )?make ([a-z][a-z-]*)", page.read_text("utf-8"), re.M
    )
    assert set(named) - targets() == set()


def test_the_procfile_starts_the_roles_of_start_sh_and_migrates_at_a_release() -> None:
    lines = dict(line.split(": ", 1) for line in PROCFILE.splitlines())
    roles = re.findall(r"^([a-z]+)\)$", START, re.MULTILINE)
    assert roles
    assert lines.pop("release") == "scripts/start.sh migrate"
    assert lines == {role: f"scripts/start.sh {role}" for role in roles if role != "migrate"}


def test_python_is_one_version_in_the_container_and_in_the_snippet() -> None:
    wanted = text_of(".python-version").strip()
    images = re.findall(r"(?:FROM|image:) (python:\S+)", text_of(".devcontainer/Dockerfile"))
    images += re.findall(r"image: (python:\S+)", text_of("docs/operations/ci.md"))
    assert len(images) == 2
    assert set(images) == {f"python:{wanted}-trixie"}
    base = re.findall(r"^ARG BASE_IMAGE=(\S+)$", text_of("Dockerfile"), re.MULTILINE)
    assert len(base) == 1
    assert re.fullmatch(rf"python:{re.escape(wanted)}\.\d+-slim-trixie", base[0])


def test_workflow_container_and_procfile_set_declared_variables_only() -> None:
    known = {variable.name for variable in declared(Environment)} | OF_TOOLS
    workflow = yaml.safe_load(text_of(".github/workflows/ci.yml"))
    used = set(workflow.get("env", {}))
    for job in workflow["jobs"].values():
        used |= set(job.get("env", {}))
        used |= {name for step in job["steps"] for name in step.get("env", {})}
    used |= set(DEVCONTAINER.get("containerEnv", {})) | set(DEVCONTAINER.get("remoteEnv", {}))
    used |= set(re.findall(r"\$\{?([A-Z_]+)", PROCFILE + text_of("docs/operations/ci.md")))
    assert used - known == set()


def status(folder: Path) -> set[str]:
    """What git would add of a folder, by the .gitignore in it."""
    subprocess.run(["git", "init", "--quiet"], check=True, cwd=folder)
    listed = subprocess.run(
        ["git", "ls-files", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
        text=True,
        cwd=folder,
    )
    return set(listed.stdout.split())


def test_git_ignores_secrets_data_and_what_tools_make(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text(text_of(".gitignore"), encoding="utf-8")
    for name in (".env", ".data/x", ".venv/x", ".coverage", "a/b.pyc", "uv.lock", ".env.example"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert status(tmp_path) == {".gitignore", "uv.lock", ".env.example"}


def test_an_image_is_given_what_the_service_runs_and_nothing_else() -> None:
    """The first rule excludes all, so .env, .git, .data and dumps need no rule of their own."""
    rules = [line for line in text_of(".dockerignore").splitlines() if line[:1] not in ("", "#")]
    assert rules[0] == "*"
    allowed = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    assert allowed - {"uv.lock"} == {
        "apps",
        "config",
        "core",
        "deploy/docker",
        "locale",
        "scripts",
        "manage.py",
        "pyproject.toml",
        ".python-version",
    }
    assert all((BASE_DIR / name).exists() for name in allowed - {"uv.lock"})
    last = max(index for index, rule in enumerate(rules) if rule.startswith("!"))
    assert "**/.env*" in rules[last:]


def test_hooks_call_the_projects_own_tools() -> None:
    repositories = yaml.safe_load(text_of(".pre-commit-config.yaml"))["repos"]
    assert {repository["repo"] for repository in repositories} == {"builtin", "local"}
    local = [hook for one in repositories if one["repo"] == "local" for hook in one["hooks"]]
    assert {hook["language"] for hook in local} == {"system"}
    venv = re.compile(r"\.venv/bin/([a-z-]+)")
    tools = {name for hook in local for name in venv.findall(hook["entry"])}
    assert tools
    assert all(Path(sys.executable).with_name(name).exists() for name in tools)
