"""install.sh on machines where something is missing: one sentence, and what it does instead."""

import os
import subprocess
from pathlib import Path

import pytest
from conftest import SERVICE

INSTALL = SERVICE / "scripts/install.sh"
TOOLS = (
    *("sh", "cat", "chmod", "cut", "dirname", "find", "grep", "head", "id", "mkdir", "mktemp"),
    *("mv", "rm", "sort", "tail", "touch"),
)

# Of uv, what install.sh asks it. Writes its name and arguments to `calls` of the machine.
UV = """echo "$0 $*" >>"$CALLS"
case $1 in
--version) echo "uv %(version)s" ;;
python) [ -z "$NO_PYTHON" ] || exit 1; echo /stub/python ;;
lock) [ -z "$LOCK_SAYS" ] || { echo "$LOCK_SAYS" >&2; exit 1; } ;;
sync) mkdir -p .venv/bin; touch .venv/bin/python uv.lock; chmod +x .venv/bin/python ;;
esac"""


class Machine:
    """A machine of which PATH holds a shell's tools and the stubs of the test."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.project = folder / "project"
        self.calls = folder / "calls"
        self.private_uv = folder / "cache/service-template/uv-0.13.8/bin/uv"
        for made in (self.bin, self.project):
            made.mkdir()
        for name in ("pyproject.toml", ".python-version"):
            (self.project / name).write_text("3.13\n", encoding="utf-8")
        for tool in TOOLS:
            for place in os.defpath.split(":"):
                if place and (Path(place) / tool).exists():
                    (self.bin / tool).symlink_to(Path(place) / tool)
                    break

    def script(self, path: str | Path, body: str) -> None:
        target = self.bin / path
        target.unlink(missing_ok=True)  # a link to the machine's own
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        target.chmod(0o755)

    def uv(self, version: str, path: str | Path = "uv") -> None:
        self.script(path, UV % {"version": version})

    def install(self, **variables: str) -> tuple[int, list[str]]:
        """Its status and what it said."""
        stubbed = {"NO_PYTHON": "", "LOCK_SAYS": "", "CALLS": str(self.calls)}
        home = {"HOME": str(self.project), "XDG_CACHE_HOME": str(self.private_uv.parents[3])}
        finished = subprocess.run(
            ["/bin/sh", INSTALL, self.project],
            check=False,
            capture_output=True,
            text=True,
            env={"PATH": str(self.bin), **home, **stubbed, **variables},
        )
        return finished.returncode, (finished.stdout + finished.stderr).splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path)
    made.script("python3", "exit 1")  # has neither venv nor pip
    return made


def test_a_user_without_uv_and_venv_is_told_what_to_install(machine: Machine) -> None:
    machine.script("id", "echo 1000")
    machine.script("apt-get", 'echo "$0 $*" >>"$CALLS"')
    status, said = machine.install()
    assert (status, len(said)) == (1, 1)
    assert "needs uv 0.13 or Python's venv module" in said[0]
    assert not machine.calls.exists()


def test_no_python_anywhere_ends_with_what_to_install(machine: Machine) -> None:
    machine.uv("0.13.8")
    status, said = machine.install(NO_PYTHON="yes")
    assert status == 1
    assert said == [
        "install: no Python 3.13 on PATH or in pyenv: downloading one",
        "install: there is no Python 3.13 and it cannot be downloaded: "
        "install it with your system's packages or  pyenv install 3.13",
    ]


def test_an_index_without_upload_dates_names_the_variable_to_set(machine: Machine) -> None:
    machine.uv("0.13.8")
    status, said = machine.install(LOCK_SAYS="warning: django-6.whl is missing an upload date")
    assert (status, len(said)) == (1, 1)
    assert said[0].endswith("override the day:  UV_EXCLUDE_NEWER=false make")


def test_a_uv_that_is_too_old_is_passed_over_for_a_private_one(machine: Machine) -> None:
    machine.uv("0.9.30")
    machine.uv("0.13.8", machine.private_uv)
    assert machine.install() == (0, [])
    asked = machine.calls.read_text(encoding="utf-8").splitlines()
    assert asked[0] == f"{machine.bin}/uv --version"
    assert asked[1:]
    assert all(line.startswith(f"{machine.private_uv} ") for line in asked[1:])


def test_a_second_run_says_nothing_and_asks_nothing(machine: Machine) -> None:
    machine.uv("0.13.8")
    assert machine.install() == (0, [])
    machine.calls.unlink()
    assert machine.install() == (0, [])
    assert not machine.calls.exists()
