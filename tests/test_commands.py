"""The commands at the root: what they start, and what they say when something is missing."""

import subprocess
from pathlib import Path

import pytest
from conftest import ROOT, clean_environment


def script(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def stubs(tmp_path: Path) -> Path:
    """A folder at the head of PATH for commands that must not really run."""
    folder = tmp_path / "stubs"
    folder.mkdir()
    return folder


def run(*command: str | Path, stubs: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = clean_environment(**variables)
    environment["PATH"] = f"{stubs}:{environment['PATH']}"
    return subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=stubs, env=environment
    )


PACKAGES = ROOT / "scripts/system-packages.sh"


def test_nothing_is_said_when_no_system_package_is_missing(stubs: Path) -> None:
    finished = run("sh", PACKAGES, "sh:dash", "make:make", stubs=stubs)
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")


def test_a_missing_package_stops_a_user_with_the_one_command_to_run(stubs: Path) -> None:
    script(stubs, "id", "echo 1000")
    script(stubs, "apt-get", "touch installed")
    finished = run("sh", PACKAGES, "no-such-a:one", "sh:dash", "no-such-b:two", stubs=stubs)
    assert finished.returncode == 1
    assert "sudo apt-get install --no-install-recommends one two" in finished.stderr
    assert not (stubs / "installed").exists()


def test_a_missing_package_is_installed_for_root_which_is_told_so(stubs: Path) -> None:
    script(stubs, "id", "echo 0")
    script(stubs, "apt-get", 'echo "$@" >>calls')
    finished = run("sh", PACKAGES, "no-such-a:one", "no-such-b:two", stubs=stubs)
    assert finished.returncode == 0
    assert "The tests need one two: installing" in finished.stdout
    update, install = (stubs / "calls").read_text(encoding="utf-8").splitlines()
    assert update.startswith("update")
    assert install.endswith(" one two")


def test_ci_runs_make_test_at_the_root_as_ci_and_outside_any_environment(stubs: Path) -> None:
    script(stubs, "make", 'echo "$PWD|$CI|${VIRTUAL_ENV-unset}|$*"')
    finished = run(ROOT / ".ci/run", stubs=stubs, VIRTUAL_ENV="/elsewhere")
    assert finished.stdout == f"{ROOT}|true|unset|--no-print-directory test\n"


def test_make_bake_takes_answers_with_spaces(tmp_path: Path) -> None:
    output = tmp_path / "two words"
    given = """project_name="It's Joe's #1: shop" owner=joe"""
    finished = subprocess.run(
        ["make", "bake", f"OUT={output}", f"ANSWERS={given}"],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=clean_environment(),
    )
    service = output / "it-s-joe-s-1-shop"
    assert f"cd '{service}'" in finished.stdout
    identity = (service / "config/identity.toml").read_text(encoding="utf-8")
    assert """name = "It's Joe's #1: shop"\n""" in identity
    assert "\nOWNER=joe\n" in (service / "deploy/identity.env").read_text(encoding="utf-8")


def test_make_bake_answers_a_mistake_with_the_message_alone(tmp_path: Path) -> None:
    finished = subprocess.run(
        ["make", "--silent", "bake", f"OUT={tmp_path / 'out'}", "ANSWERS=owner=@Acme"],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=clean_environment(),
    )
    assert finished.returncode != 0
    assert finished.stdout == ""
    assert "owner '@Acme'" in finished.stderr
    assert "Traceback" not in finished.stderr
