"""`make last-release`: the tests of the last release on the schema of this code's migrations.

    python -m scripts.last_release [argument of pytest ...]

For the minutes of a release, and after a roll-back, old code runs on the new schema. So its tests
run here on that schema: in a worktree of its tag under build/, with its own packages, and with the
migrations of this tree (NEXT_RELEASE, read by tests/stack.py). REF names another commit than the
last tag `v…`. Weighed: a second environment that serves the old release takes a test of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
TREE = BASE_DIR / "build" / "last-release"
# What asks the service itself; unit tests have no schema, and files agree only with their own tree.
TESTS = ("tests/contract", "tests/integration", "tests/server", "-q")


class RefusedError(Exception):
    """There is nothing to compare with; the message says what was asked for."""


def git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", BASE_DIR, *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RefusedError(done.stderr.strip().rpartition("\n")[2])
    return done.stdout.strip()


def last_release() -> str | None:
    """The newest tag `v…` behind this commit, which may carry one itself; None before the first."""
    if ref := os.environ.get("REF"):
        return git("rev-parse", "--verify", "--quiet", ref + "^{commit}") and ref
    here = git("tag", "--points-at", "HEAD", "--list", "v*")
    try:
        return git("describe", "--tags", "--abbrev=0", "--match=v*", "HEAD^" if here else "HEAD")
    except RefusedError:
        return None


def check_out(ref: str) -> Path:
    """Its tree, as it was released. Of a service that is a part of a repository, that part."""
    git("worktree", "prune")
    if TREE.exists():
        git("worktree", "remove", "--force", str(TREE))
    git("worktree", "add", "--detach", "--force", str(TREE), ref)
    return TREE / git("rev-parse", "--show-prefix")


def packages(tree: Path) -> Path:
    """The Python that has what this release pins: ours, where both pin the same."""
    pins = "pyproject.toml"
    if (tree / pins).read_bytes() == (BASE_DIR / pins).read_bytes():
        return Path(sys.executable)
    venv = tree / ".venv"
    subprocess.run(
        ["sh", "scripts/install.sh"],
        cwd=tree,
        env={**os.environ, "UV_PROJECT_ENVIRONMENT": str(venv)},
        check=True,
    )
    return venv / "bin" / "python"


def main(arguments: list[str]) -> int:
    try:
        ref = last_release()
        if ref is None:
            print("There is no release yet (no tag v… behind this commit): nothing to compare.")
            return 0
        tree = check_out(ref)
    except RefusedError as error:
        asked = f"REF={os.environ['REF']}" if os.environ.get("REF") else "git"
        print(f"{asked}: {str(error) or 'there is no such commit'}", file=sys.stderr)
        return 1
    stage = tree / "tests" / "stack.py"
    if not stage.exists() or "NEXT_RELEASE" not in stage.read_text(encoding="utf-8"):
        print(f"{ref} is older than this check, and its tests cannot take the schema of another.")
        return 0
    this = git("describe", "--tags", "--always", "--dirty")
    print(f"The tests of {ref} on the schema of {this}:", flush=True)
    return subprocess.run(
        [packages(tree), "-m", "pytest", *(arguments or TESTS)],
        cwd=tree,
        env={**os.environ, "NEXT_RELEASE": str(BASE_DIR), "NEXT_PYTHON": sys.executable},
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
