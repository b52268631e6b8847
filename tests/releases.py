"""A template with releases, and a service of the first one that somebody has worked on since."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import bake
from conftest import ROOT, clean_environment

PAGE = (ROOT / "docs/updating.md").read_text(encoding="utf-8")
URL = "https://github.com/org/django-prod-template"
# Unlike the defaults, as those of every real service.
ANSWERS = ["Acme shop", "acme-shop", "It sells.", "shop.acme.example", "hooli"]

# What the second release changes, by what the service's owner did with the same file.
BOTH_IN_ONE_PLACE = "README.md"
BOTH_APART = "scripts/start.sh"
RENAMED, NEW_NAME = "scripts/collect_static.py", "scripts/static_files.py"
UPSTREAM_ONLY = "config/settings/components/cache.py"
MADE_EXECUTABLE = "scripts/with_servers.py"
BINARY = "core/pages/favicon/favicon.ico"
ADDED = "core/novelty/__init__.py"
DELETED = "docs/operations/cache-outage.md"
DELETED_BY_OWNER = "docs/operations/accounts.md"
# What its owner alone changed.
LOCAL_ONLY = "config/urls.py"
OWN = "apps/cart/models.py"
CHANGED_BY_OWNER = {BOTH_IN_ONE_PLACE, BOTH_APART, RENAMED, LOCAL_ONLY}
CHANGED_UPSTREAM = {
    *(BOTH_IN_ONE_PLACE, BOTH_APART, RENAMED, NEW_NAME, UPSTREAM_ONLY, MADE_EXECUTABLE, BINARY),
    *(ADDED, DELETED, DELETED_BY_OWNER),
}

OURS, THEIRS = "# The owner's line", "# The template's line"
ICON = b"\x00\x00\x01\x00\xff another icon"


def run(
    folder: Path, *command: str | Path, status: int | None = 0, stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command with a home of its own, where neither git nor cookiecutter is configured."""
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    who = ("AUTHOR", "COMMITTER")
    names = {f"GIT_{one}_NAME": "Test" for one in who}
    mails = {f"GIT_{one}_EMAIL": "test@example.com" for one in who}
    finished = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        input=stdin or "",
        env=clean_environment(HOME=str(home), GIT_CONFIG_NOSYSTEM="1", **names, **mails),
    )
    if status is not None:
        assert finished.returncode == status, finished.stdout + finished.stderr
    return finished


def git(folder: Path, *words: str) -> str:
    return run(folder, "git", *words).stdout


def commit_all(folder: Path, message: str) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)


def as_the_page_says(
    command: str, folder: Path, template: Path, *, status: int | None = 0, stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command of docs/updating.md, with the template on this machine instead of its URL."""
    assert any(command == line for line in PAGE.splitlines()), command
    words = shlex.split(command.replace(URL, str(template)))
    if words[:2] == ["uvx", "cruft"]:
        words[:2] = [sys.executable, "-m", "cruft"]
    return run(folder, *words, status=status, stdin=stdin)


def edit(path: Path, *, old: str = "", new: str) -> None:
    """Replace a text that stands there once, or else add a line at the end."""
    text = path.read_text(encoding="utf-8")
    assert not old or text.count(old) == 1, (path, old)
    path.write_text(text.replace(old, new) if old else f"{text}{new}\n", encoding="utf-8")


def change_upstream(service: Path) -> None:
    """What the second release does to the template's service."""
    edit(service / BOTH_IN_ONE_PLACE, new=THEIRS)
    for path in (BOTH_APART, RENAMED, UPSTREAM_ONLY, DELETED_BY_OWNER):
        edit(service / path, new=THEIRS)
    (service / RENAMED).rename(service / NEW_NAME)
    (service / MADE_EXECUTABLE).chmod(0o755)
    (service / BINARY).write_bytes(ICON)
    (service / ADDED).parent.mkdir()
    (service / ADDED).write_text(f"{THEIRS}\n", encoding="utf-8")
    (service / DELETED).unlink()


def change_as_owner(service: Path) -> None:
    """What the owner does to the service after its first commit."""
    edit(service / BOTH_IN_ONE_PLACE, new=OURS)
    edit(service / LOCAL_ONLY, new=OURS)
    edit(service / BOTH_APART, old="#!/bin/sh\n", new=f"#!/bin/sh\n{OURS}\n")
    source = (service / RENAMED).read_text(encoding="utf-8").splitlines(keepends=True)
    at = next(number for number, line in enumerate(source) if line.startswith("def "))
    source.insert(at, f"{OURS}\n")
    (service / RENAMED).write_text("".join(source), encoding="utf-8")
    (service / OWN).parent.mkdir()
    (service / OWN).write_text(f"{OURS}\n", encoding="utf-8")
    (service / DELETED_BY_OWNER).unlink()
    (service / "uv.lock").write_text("version = 1\n", encoding="utf-8")
    commit_all(service, "Work")
    (service / ".env").write_text("SECRET_KEY=mine\n", encoding="utf-8")


def release(template: Path, version: str) -> None:
    """Commit and tag the work tree as a release, with the entry and the number that it needs."""
    entry = f"# Changelog\n\n## {version}\n\n### Upgrading an existing service\n\nNothing.\n"
    (template / "CHANGELOG.md").write_text(entry, encoding="utf-8")
    project = template / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    numbered = re.sub(r'^version = ".*"', f'version = "{version}"', text, count=1, flags=re.M)
    project.write_text(numbered, encoding="utf-8")
    commit_all(template, f"Release {version}")
    git(template, "tag", f"v{version}")


def examples_of(service: Path) -> set[str]:
    there = git(service, "ls-files", "--cached", "--others").split()
    return {path for path in there if re.match(r"apps/shop/|tests/\w+/shop/", path)}


def remove_examples(service: Path) -> None:
    run(service, sys.executable, "-B", "scripts/remove_examples.py")
    commit_all(service, "Remove the examples")
    assert examples_of(service) == set()


def release_with_examples(template: Path) -> None:
    """A release that changes the example, adds files to it and a folder of tests."""
    service = template / bake.SERVICE
    edit(service / "apps/shop/models.py", new=THEIRS)
    for path in ("apps/shop/novelty.py", "apps/shop/deep/er.py", "tests/novelty/shop/test_x.py"):
        (service / path).parent.mkdir(parents=True, exist_ok=True)
        (service / path).write_text(f"{THEIRS}\n", encoding="utf-8")
    edit(service / UPSTREAM_ONLY, new=THEIRS)
    release(template, "0.2.0")


def make_template(folder: Path) -> Path:
    """The template of the working tree as a repository whose only release is v0.1.0."""
    template = folder / "django-prod-template"
    bake.export(template, *bake.PARTS, "scripts", "pyproject.toml", ".gitignore", ".gitattributes")
    git(template, "init", "--quiet", "--initial-branch", "main")
    release(template, "0.1.0")
    return template


def make_second_release(template: Path) -> None:
    change_upstream(template / bake.SERVICE)
    release(template, "0.2.0")


def publish(template: Path, name: str, *, status: int = 0) -> subprocess.CompletedProcess[str]:
    script = template / "scripts/publish_rendered.py"
    return run(template, sys.executable, "-B", script, name, status=status)


def make_service(folder: Path, template: Path) -> Path:
    """A service of v0.1.0 with answers of its own, made by cruft as the page says, committed."""
    command = f"uvx cruft create {URL} --checkout v0.1.0"
    as_the_page_says(command, folder, template, stdin="\n".join([*ANSWERS, ""]))
    service = folder / ANSWERS[1]
    git(service, "init", "--quiet", "--initial-branch", "main")
    commit_all(service, "Generate")
    return service


def unmerged(service: Path) -> set[str]:
    return set(git(service, "diff", "--name-only", "--diff-filter=U").split())


def rejects(service: Path) -> set[str]:
    return {str(path.relative_to(service)) for path in service.rglob("*.rej")}


def is_executable(path: Path) -> bool:
    return os.access(path, os.X_OK)


def assert_nothing_is_lost(service: Path) -> None:
    """Every change of both sides is there, except where both changed one place."""

    def text(path: str) -> str:
        return (service / path).read_text(encoding="utf-8")

    assert text(BOTH_IN_ONE_PLACE).count(OURS) == 1
    for path in (BOTH_APART, NEW_NAME):
        assert (text(path).count(OURS), text(path).count(THEIRS)) == (1, 1), path
    assert not (service / RENAMED).exists()
    assert text(LOCAL_ONLY).endswith(f"{OURS}\n")
    assert text(OWN) == f"{OURS}\n"
    assert text(UPSTREAM_ONLY).endswith(f"{THEIRS}\n")
    assert text(ADDED) == f"{THEIRS}\n"
    assert is_executable(service / MADE_EXECUTABLE)
    assert (service / BINARY).read_bytes() == ICON
    assert not (service / DELETED).exists()
    assert text(".env") == "SECRET_KEY=mine\n"
    assert text("uv.lock") == "version = 1\n"
    # What neither side changed, and the answers, are as they were.
    changed = set(git(service, "diff", "--name-only", "--no-renames", "HEAD").split())
    assert changed <= {*CHANGED_UPSTREAM, ".cruft.json"}
    for answer in (ANSWERS[0], ANSWERS[3]):
        assert answer in text(BOTH_IN_ONE_PLACE)


def assert_conflict_holds_both(service: Path, path: str) -> None:
    text = (service / path).read_text(encoding="utf-8")
    assert re.search(
        rf"<<<<<<< .*\n(?:.*\n)*?{re.escape(OURS)}\n(?:.*\n)*?=======\n(?:.*\n)*?"
        rf"{re.escape(THEIRS)}\n>>>>>>> ",
        text,
    )


def assert_python_is_whole(service: Path) -> None:
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--select", "E9,F", "."]
    finished = run(service, *command, status=None)
    assert finished.returncode == 0, finished.stdout


def copy_of(service: Path, folder: Path) -> Path:
    return shutil.copytree(service, folder / service.name, symlinks=True)
