"""A generated service in git under build/, and its own commands run in it as its owner would."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import BUILD, ROOT, clean_environment

UNSTEADY_AT_MOST = 10  # of more than 2,000 tests; what breaks more than that is no noise
WHO = ("-c", "user.name=Test", "-c", "user.email=test@example.com")


def git(service: Path, *words: str) -> str:
    """What git prints in a service, as somebody with a name."""
    return subprocess.run(
        ["git", *WHO, *words],
        check=True,
        capture_output=True,
        text=True,
        cwd=service,
        env=clean_environment(),
    ).stdout


def commit_all(service: Path, message: str) -> None:
    git(service, "add", ".")
    git(service, "commit", "--quiet", "--message", message)


def changes(service: Path) -> str:
    return git(service, "status", "--porcelain")


def fresh_service(output: Path) -> Path:
    """The default service in a folder, in a repository without a commit."""
    subprocess.run(
        [sys.executable, ROOT / "scripts/bake.py", output], check=True, env=clean_environment()
    )
    service = output / "my-service"
    git(service, "init", "--quiet")
    return service


def committed_service(name: str) -> Path:
    """The default service in build/NAME, committed, without environment, data or lock file."""
    output = BUILD / name
    shutil.rmtree(output, ignore_errors=True)
    service = fresh_service(output)
    commit_all(service, "Bake")
    return service


def streamed(
    command: list[str], folder: Path, capfd: pytest.CaptureFixture[str]
) -> tuple[int, str]:
    """Run a command with its output shown as it comes, and return its status and that output."""
    lines = []
    with (
        capfd.disabled(),
        subprocess.Popen(
            command,
            cwd=folder,
            env=clean_environment(CI="true"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
    ):
        assert process.stdout
        sys.stdout.write(f"\n$ {' '.join(command)}  # {folder.parent.name}/{folder.name}\n")
        for line in process.stdout:
            sys.stdout.write(f"  {line}")
            sys.stdout.flush()
            lines.append(line)
    return process.returncode, "".join(lines)


def names_of_failures(output: str) -> list[str]:
    """The tests that pytest's summary names; a test's log above it has lines of `ERROR` as well."""
    _, _, summary = output.rpartition(" short test summary info ")
    return re.findall(r"^(?:FAILED|ERROR) (tests/\S+::.+?)(?: - .*)?$", summary, re.M)


def passes_every_test(service: Path, capfd: pytest.CaptureFixture[str], *variables: str) -> None:
    """Run `make test`, and fail unless every test passed and none was skipped.

    A test that fails once and then passes alone is printed as unsteady, and is work to do. Too many
    of them, one that fails again, or too few lines that ran, and this fails with their names: they
    race real servers on a machine that others may load, which a second run tells from a defect.
    """
    command = ["make", "test", *variables]
    status, output = streamed(command, service, capfd)
    failed = names_of_failures(output)
    # What failed and why: a report of the whole may keep no more than this message.
    reasons = "\n".join(re.findall(r"^(?:FAILED|ERROR|E  ) .+$", output, re.M))[-8000:]
    assert "Too few lines ran" not in output, output[-6000:]
    if status and 0 < len(failed) <= UNSTEADY_AT_MOST:
        # Of a variable that is given twice, make takes the last.
        status, again = streamed([*command, "T=--last-failed"], service, capfd)
        with capfd.disabled():
            sys.stdout.write(f"\nUnsteady, failed at first: {' '.join(failed)}\n")
        assert status == 0, f"failed twice: {' '.join(failed)}\n{again[-8000:]}"
        allowed = rf"({len(failed)} failed, \d+ passed|(\d+ failed, )?\d+ passed, \d+ errors?)"
    else:
        assert status == 0, f"failed: {' '.join(failed)}\n{reasons or output[-8000:]}"
        allowed = r"\d+ passed"
    closing, *_ = re.findall(r"^=+ (\d+ (?:passed|failed|errors?).*) in [\d.]+s", output, re.M)
    assert re.fullmatch(allowed, closing), f"{closing}\n{reasons}"
