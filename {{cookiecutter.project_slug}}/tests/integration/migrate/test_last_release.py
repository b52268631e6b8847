"""`make last-release`: what it compares, and that a column which old code needs is missed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack import BASE_DIR, clean_environment

WHO = ("-c", "user.name=a", "-c", "user.email=a@example.org")
NOT_COPIED = shutil.ignore_patterns(
    ".git", "build", ".*cache", ".venv", ".data", "__pycache__", "uv.lock"
)
# Of the last release's tests: quick, and about one table.
TESTS = ("tests/integration/lockout", "-q")
MIGRATION = '''"""Contract: a test's, which says that no release uses it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core_lockout", "0001_initial")]
    operations = [{operation}]
'''
ADDS = 'migrations.AddField("counter", "remark", models.TextField(db_default=""))'
RENAMES = 'migrations.RenameField("counter", "key", "name")'


def git(tree: Path, *arguments: str) -> None:
    subprocess.run(["git", *WHO, *arguments], cwd=tree, check=True, capture_output=True)


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """A service that has had one release, v1.0.0."""
    tree = tmp_path / "service"
    shutil.copytree(BASE_DIR, tree, ignore=NOT_COPIED)
    git(tree, "init", "--quiet")
    git(tree, "add", ".")
    git(tree, "commit", "--quiet", "--no-verify", "-m", "First")
    git(tree, "tag", "v1.0.0")
    return tree


def migrated(tree: Path, operation: str) -> None:
    path = tree / "core" / "lockout" / "migrations" / "0002_next.py"
    path.write_text(MIGRATION.format(operation=operation))
    git(tree, "add", ".")
    git(tree, "commit", "--quiet", "--no-verify", "-m", "Second")


def last_release(tree: Path, *arguments: str, ref: str = "") -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.last_release", *arguments],
        cwd=tree,
        env={**clean_environment(REF=ref), "PYTHONPATH": str(tree / "tests" / "every_process")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_old_tests_pass_on_a_schema_that_was_expanded(released: Path) -> None:
    migrated(released, ADDS)
    code, told = last_release(released, *TESTS)
    assert code == 0, told
    assert "The tests of v1.0.0 on the schema of v1.0.0-1-g" in told
    assert " passed" in told


def test_they_fail_on_one_that_lacks_what_old_code_uses(released: Path) -> None:
    migrated(released, RENAMES)
    code, told = last_release(released, *TESTS)
    assert code == 1, told
    assert "column core_lockout_counter.key does not exist" in told or 'column "key"' in told
    assert " failed" in told


def test_before_the_first_release_it_says_that_there_is_none(released: Path) -> None:
    git(released, "tag", "--delete", "v1.0.0")
    code, told = last_release(released)
    assert code == 0
    assert told == ("There is no release yet (no tag v… behind this commit): nothing to compare.\n")


def test_the_commit_of_a_release_is_compared_with_the_release_before(released: Path) -> None:
    code, told = last_release(released)
    assert (code, told.partition(" (")[0]) == (0, "There is no release yet")


def test_a_commit_that_is_not_there_is_one_line(released: Path) -> None:
    code, told = last_release(released, ref="v9")
    assert (code, told) == (1, "REF=v9: there is no such commit\n")


def test_a_release_that_cannot_take_a_schema_of_another_says_so(released: Path) -> None:
    (released / "tests" / "stack.py").write_text("")
    git(released, "commit", "--quiet", "--all", "-m", "As it was before")
    code, told = last_release(released, ref="HEAD")
    assert code == 0
    assert told.startswith("HEAD is older than this check")
