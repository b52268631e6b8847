"""A freshly generated service makes its first commit through its hooks, which refuse flaws."""

import re
import subprocess
from pathlib import Path

import pytest
from baked import WHO, changes, fresh_service, git
from conftest import clean_environment


@pytest.fixture(scope="module")
def hooked_service(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service on its first day: generated, with hooks in place and nothing committed yet."""
    service = fresh_service(tmp_path_factory.mktemp("hooked"))
    subprocess.run(["make", "hooks"], check=True, cwd=service, env=clean_environment())
    return service


def commit(service: Path) -> subprocess.CompletedProcess[str]:
    """Commit all there is, through the hooks."""
    git(service, "add", ".")
    return subprocess.run(
        ["git", *WHO, "commit", "-m", "Commit"],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=service,
        env=clean_environment(),
    )


@pytest.fixture(scope="module")
def first_commit(hooked_service: Path) -> subprocess.CompletedProcess[str]:
    return commit(hooked_service)


def test_the_first_commit_passes_the_hooks_and_holds_everything(
    hooked_service: Path, first_commit: subprocess.CompletedProcess[str]
) -> None:
    assert first_commit.returncode == 0, first_commit.stdout
    for hook in ("ruff check", "ruff format", "workflows", "make lint-migrations"):
        assert re.search(rf"^{hook}.*Passed$", first_commit.stdout, re.M), first_commit.stdout
    assert changes(hooked_service) == ""
    assert git(hooked_service, "ls-files", "uv.lock") == "uv.lock\n"


DANGEROUS = """from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0004_product_image")]
    operations = [migrations.RemoveField("product", "image")]
"""


@pytest.mark.parametrize(
    ("path", "content", "hook"),
    [
        ("apps/shop/flaw.py", "x = {  'a':1 }\n", "ruff format"),
        ("apps/shop/migrations/0005_flaw.py", DANGEROUS, "make lint-migrations"),
        (
            ".github/workflows/flaw.yml",
            "on: push\njobs: {a: {runs-on: x, steps: [{uses: actions/checkout@main}]}}\n",
            "workflows",
        ),
    ],
    ids=["format", "migration", "workflow"],
)
@pytest.mark.usefixtures("first_commit")
def test_a_commit_with_a_flaw_is_refused_by_its_hook(
    path: str, content: str, hook: str, hooked_service: Path
) -> None:
    flaw = hooked_service / path
    flaw.write_text(content, encoding="utf-8")
    try:
        finished = commit(hooked_service)
    finally:
        flaw.unlink()
        git(hooked_service, "add", ".")
    assert finished.returncode != 0
    assert re.search(rf"^{hook}.*Failed$", finished.stdout, re.M), finished.stdout
    assert Path(path).name in finished.stdout
