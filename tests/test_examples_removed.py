"""`make remove-examples` leaves nothing of the examples, and what it leaves is a whole service."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from baked import changes, commit_all, committed_service, git, passes_every_test, streamed
from conftest import SERVICE, clean_environment

SCRIPT = SERVICE / "scripts/remove_examples.py"
PAGE = "docs/operations/removing-examples.md"
UNDO = "scripts/start.sh migrate shop zero"
FORGET = "python manage.py remove_stale_contenttypes --include-stale-apps"
SKIPPED = 'skip = ["apps/shop", "tests/*/shop"]'
MANAGE = ("python", "manage.py")
# Tables, content types and permissions of the shop.
LEFT = """
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute(
        "SELECT (SELECT count(*) FROM pg_tables WHERE tablename LIKE 'shop%'),"
        "(SELECT count(*) FROM django_content_type WHERE app_label = 'shop'),"
        "(SELECT count(*) FROM auth_permission WHERE codename LIKE '%product')"
    )
    print("left:", *cursor.fetchone())
"""
MARKED_LINES = {
    "urls.py": "one = 1\ntwo = 2  # example:cart\nthree = 3  # example:cart\n",
    "pyproject.toml": '[a]\nb = [\n    "c", # example:cart\n]\n',
    "page.md": "| one |\n| two | <!-- example:cart -->\n",
    "nginx.conf": "a;\nb; # example:cart\n",
    "roles.sql": "SELECT 1;\nSELECT 2; -- example:cart\n",
    "base.html": "<p>\n<b> {# example:cart #}\n",
    "site.css": "a {}\nb {} /* example:cart */\n",
    "app.js": "one()\ntwo() // example:cart\n",
    "Makefile": "all:\n\ttrue\ncart: # example:cart ## fill it\n\ttrue # example:cart\n",
}
AFTER = {
    "urls.py": "one = 1\n",
    "pyproject.toml": '[a]\nb = [\n]\n\n[tool.cruft]\nskip = ["apps/cart", "tests/*/cart"]\n',
    "page.md": "| one |\n",
    "nginx.conf": "a;\n",
    "roles.sql": "SELECT 1;\n",
    "base.html": "<p>\n",
    "site.css": "a {}\n",
    "app.js": "one()\n",
    "Makefile": "all:\n\ttrue\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The script in a small repository with an example named cart and an app that is none."""
    folder = tmp_path / "project"
    files = {
        **MARKED_LINES,
        "apps/cart/models.py": "",
        "apps/cart/templates/cart/mail.txt": "",
        "apps/users/models.py": "",
        "tests/unit/cart/test_cart.py": "",
        "tests/unit/users/test_users.py": "",
        "docs/cart.md": "<!-- example:cart -->\n# The cart\n",
        "scripts/fill.sh": "#!/bin/sh\n# example:cart\ntrue\n",
        PAGE: "<!-- example:all -->\n# What follows\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    shutil.copy(SCRIPT, folder / "scripts")
    git(folder, "init", "--quiet")
    commit_all(folder, "Start")
    return folder


def remove(project: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-B", "scripts/remove_examples.py"],
        check=False,
        capture_output=True,
        text=True,
        cwd=project,
        env=clean_environment(**variables),
    )


def refused(project: Path, **variables: str) -> str:
    """What a run that must not change anything says, in one sentence and without a traceback."""
    before = (project / "urls.py").read_bytes()
    finished = remove(project, **variables)
    assert finished.returncode == 1
    assert finished.stdout == ""
    assert (project / "urls.py").read_bytes() == before
    assert (project / "apps/cart/models.py").exists()
    assert len(finished.stderr.splitlines()) == 1
    return finished.stderr


def test_marked_lines_go_in_every_kind_of_comment(project: Path) -> None:
    remove(project).check_returncode()
    assert {name: (project / name).read_text(encoding="utf-8") for name in AFTER} == AFTER


def test_the_folders_and_files_of_an_example_go_and_so_does_the_command_itself(
    project: Path,
) -> None:
    (project / ".gitignore").write_text("__pycache__/\n", encoding="utf-8")
    commit_all(project, "Ignore bytecode")
    (project / "apps/cart/__pycache__").mkdir()
    finished = remove(project)
    left = {path for path in git(project, "ls-files").split() if (project / path).exists()}
    assert left - set(AFTER) - {".gitignore"} == {
        "apps/users/models.py",
        "tests/unit/users/test_users.py",
    }
    assert not (project / "apps/cart").exists()
    assert finished.stdout.startswith("Removed cart:\n")
    assert "  Makefile, 2 of 4 lines\n" in finished.stdout
    assert finished.stdout.endswith("\n\n# What follows\n")


def test_a_skip_list_of_the_owner_is_left_alone_and_the_paths_to_add_are_named(
    project: Path,
) -> None:
    owned = '[tool.cruft]\nskip = ["LICENSE"]\n'
    (project / "pyproject.toml").write_text(owned, encoding="utf-8")
    commit_all(project, "Skip a file")
    finished = remove(project)
    assert (project / "pyproject.toml").read_text(encoding="utf-8") == owned
    assert 'skip list of cruft: ["apps/cart", "tests/*/cart"]\n' in finished.stdout


def test_what_only_speaks_of_a_mark_stays_byte_for_byte(project: Path) -> None:
    kept = {
        "a.md": b"A line ends in `# example:cart`, as here.\r\nno newline at the end",
        "b.py": b'x = "example:cart"\ny = 1  # an example: cart\n',
        "c.bin": b"\xff\xfe# example:cart\n",
    }
    for name, content in kept.items():
        (project / name).write_bytes(content)
    outside = project.parent / "outside.py"
    outside.write_text(MARKED_LINES["urls.py"], encoding="utf-8")
    (project / "link").symlink_to(outside)
    commit_all(project, "Speak of marks")
    remove(project).check_returncode()
    assert {name: (project / name).read_bytes() for name in kept} == kept
    assert outside.read_text(encoding="utf-8") == MARKED_LINES["urls.py"]


def test_a_second_run_says_that_none_are_left(project: Path) -> None:
    remove(project).check_returncode()
    commit_all(project, "Remove the examples")
    text = SCRIPT.read_text(encoding="utf-8").replace("# example:all\n", "", 1)
    (project / "scripts/remove_examples.py").write_text(text, encoding="utf-8")
    commit_all(project, "Keep the command")
    finished = remove(project)
    assert (finished.returncode, finished.stdout) == (0, "No examples are left.\n")
    assert changes(project) == ""


@pytest.mark.parametrize("name", ["urls.py", "new.py"], ids=["changed", "untracked"])
def test_a_dirty_tree_is_refused_by_the_names_of_its_files(project: Path, name: str) -> None:
    with (project / name).open("a", encoding="utf-8") as file:
        file.write("mine = True\n")
    said = refused(project)
    assert name in said
    assert "commit or stash" in said


def test_a_folder_outside_git_is_refused(project: Path) -> None:
    shutil.rmtree(project / ".git")
    said = refused(project, GIT_CEILING_DIRECTORIES=str(project.parent))
    assert str(project) in said
    assert "git init" in said


def test_a_machine_without_git_is_refused(project: Path) -> None:
    assert "install git" in refused(project, PATH=os.devnull)


@pytest.fixture(scope="module")
def removed() -> Path:
    """The default service after `make remove-examples`, committed twice: before and after."""
    service = committed_service("examples")
    subprocess.run(["make", "remove-examples"], check=True, cwd=service, env=clean_environment())
    commit_all(service, "Remove the examples")
    return service


@pytest.fixture(scope="module")
def environment(service_environment: Path) -> str:
    """The environment of the unrendered service, for the same packages: none is made twice."""
    return f"VENV={service_environment}"


def names_of_the_shop() -> set[str]:
    """Patterns: how code, tests, addresses and tables name the example, and its classes."""
    classes = {
        node.name
        for path in (SERVICE / "apps/shop").glob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    }
    assert {"Product", "OrderLine", "ReviewSerializer"} <= classes
    # Some are also words of English and of HTTP: a class stands before a bracket, comma or dot.
    named = {rf"(?<![-\w]){name}(?=[\[\](),.])" for name in classes}
    elsewhere = {r"\bv1/(products|orders)\b", "/shop/", r"\bshop_\w", r"\bshop\.[A-Z]"}
    return {*named, *elsewhere, r"apps[./]shop", r"\bexample:\w"}


def test_no_file_names_the_example_any_more(removed: Path) -> None:
    """What may remain is `shop` as a sample of a host, a service's or a database's name."""
    names = re.compile("|".join(sorted(names_of_the_shop())))
    tracked = git(removed, "ls-files").splitlines()
    assert [path for path in tracked if "shop" in path or "example" in Path(path).stem] == []
    found = [
        f"{path}:{number}: {line}"
        for path in tracked
        for number, line in enumerate(
            (removed / path).read_text(encoding="utf-8", errors="replace").splitlines(), start=1
        )
        if names.search(line) and line != SKIPPED
    ]
    assert found == []
    assert "remove" not in (removed / "Makefile").read_text(encoding="utf-8")


def test_a_database_in_use_is_freed_of_the_example_as_the_page_says(
    removed: Path, service_environment: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """On the data of `make run`, with the code of the release before and of the one after."""
    before = tmp_path / "before"
    git(removed, "worktree", "add", "--quiet", "--detach", str(before), "HEAD~1")
    (removed / ".data").mkdir(mode=0o700)
    (before / ".data").symlink_to(removed / ".data")

    def run(release: Path, *words: str) -> str:
        command = [str(service_environment / "bin/python"), "-m", "scripts.development", "--"]
        status, output = streamed([*command, *words], release, capfd)
        assert status == 0
        return output

    def left() -> list[int]:
        found = re.search(r"left: (\d+) (\d+) (\d+)", run(removed, *MANAGE, "shell", "-c", LEFT))
        assert found
        return [int(count) for count in found.groups()]

    run(before, "scripts/start.sh", "migrate")
    assert min(left()) > 0
    # The commands of the page, which went with the examples.
    page = git(before, "show", f"HEAD:{PAGE}")
    for release, command in ((before, UNDO), (removed, FORGET)):
        assert f"`{command}`" in page
        run(release, *command.split(), "--no-input")
    assert left() == [0, 0, 0]
    run(removed, "scripts/start.sh", "migrate")


def test_make_check_is_green_without_the_examples(
    removed: Path, environment: str, capfd: pytest.CaptureFixture[str]
) -> None:
    status, _ = streamed(["make", "check", environment], removed, capfd)
    assert status == 0
    assert changes(removed) in ("", "?? uv.lock\n")


def around(service: Path) -> list[str]:
    """Folders of tests about what stands around the code: servers, images, faults."""
    servers = (path for path in (service / "tests/server").iterdir() if path.is_dir())
    folders = [service / "tests/drills", service / "tests/image", *servers]
    return [str(path.relative_to(service)) for path in sorted(folders) if "__" not in path.name]


def test_make_test_passes_without_the_examples_and_with_nothing_skipped(
    removed: Path, environment: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Less what the whole run has tested already, and no line of which the removal changed."""
    left_out = around(removed)
    assert "tests/server/tasks" in left_out
    tested = [*left_out, "core", "deploy", "drills", "Dockerfile", "compose.yaml"]
    assert git(removed, "diff", "--stat", "HEAD~1", "--", *tested) == ""
    ignored = " ".join(f"--ignore={folder}" for folder in left_out)
    chosen = f"T=-n logical --maxprocesses 4 --dist loadfile {ignored}"
    passes_every_test(removed, capfd, environment, chosen)
    assert changes(removed) in ("", "?? uv.lock\n")
