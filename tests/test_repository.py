"""The files of the template agree with one another and with what its pages say."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import bake
import pytest
import yaml
from conftest import ROOT, SERVICE, clean_environment

PROJECTS = (ROOT / "pyproject.toml", SERVICE / "pyproject.toml")
# Put together here, so that this file names none either.
REGISTRIES = [
    ".".join(labels)
    for labels in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("deb", "debian", "org"),
        ("archive", "ubuntu", "com"),
        ("proxy", "golang", "org"),
    )
]


def text_of(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


def requirements(project: Path) -> list[str]:
    tables = tomllib.loads(project.read_text(encoding="utf-8"))
    groups = tables.get("dependency-groups", {}).values()
    return [*tables["project"]["dependencies"], *(one for group in groups for one in group)]


@pytest.mark.parametrize("project", PROJECTS, ids=["template", "service"])
def test_every_dependency_is_exact_or_has_a_lower_bound(project: Path) -> None:
    found = requirements(project)
    assert found
    assert [one for one in found if not re.search(r"(==|>=|~=)\s*\d", one)] == []


@pytest.mark.parametrize("project", PROJECTS, ids=["template", "service"])
def test_the_day_of_the_resolution_is_fixed(project: Path) -> None:
    tables = tomllib.loads(project.read_text(encoding="utf-8"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00Z", tables["tool"]["uv"]["exclude-newer"])
    assert tables["tool"]["uv"]["package"] is False


def test_the_template_and_the_service_name_one_python() -> None:
    assert text_of(".python-version") == text_of(f"{bake.SERVICE}/.python-version") == "3.13\n"


def test_no_file_names_the_host_of_a_package_registry() -> None:
    paths = bake.listed()
    assert "cookiecutter.json" in paths
    named = [path for path in paths if any(host in text_of(path) for host in REGISTRIES)]
    assert named == []


def test_no_lock_file_and_no_environment_file_is_tracked() -> None:
    names = {Path(path).name for path in bake.listed()}
    assert names.isdisjoint({"uv.lock", ".env"})


def test_the_hooks_use_the_standard_library_only() -> None:
    for hook in (ROOT / "hooks").glob("*.py"):
        nodes = list(ast.walk(ast.parse(hook.read_text(encoding="utf-8"))))
        imported = {
            alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names
        }
        imported |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
        assert imported <= {"json", "keyword", "pathlib", "re", "shlex", "sys", "tempfile"}, (
            hook.name
        )


def targets(makefile: Path) -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):.*## ", makefile.read_text(encoding="utf-8"), re.M))


def test_make_lists_every_command_with_its_help() -> None:
    finished = subprocess.run(
        ["make"], check=True, capture_output=True, text=True, cwd=ROOT, env=clean_environment()
    )
    listed = re.findall(r"^  make (\S+) +\S", finished.stdout, re.M)
    assert set(listed) == targets(ROOT / "Makefile")
    assert set(listed) >= {"bake", "check", "demo", "fix", "help", "test"}


@pytest.mark.parametrize("makefile", [ROOT / "Makefile", SERVICE / "Makefile"], ids=str)
def test_a_make_target_has_at_most_three_lines(makefile: Path) -> None:
    recipes = re.findall(
        r"^\S[^\n]*:[^\n=]*\n((?:\t[^\n]*\n?)+)", makefile.read_text("utf-8"), re.M
    )
    assert recipes
    assert [recipe for recipe in recipes if recipe.count("\n\t") > 2] == []


# What the shells, make 3.81 and the BSD tools of macOS do not know, or read in another way.
GNU_ONLY = re.compile(
    r"sort -V|sed -i|sed .*s/[^/]*/[^/]*\\t|readlink -f|grep -[a-zA-Z]*P|date -d|stat -c"
    r"|xargs -r|find .*-printf|\bflock |\bnproc\b|\$\(file |\.ONESHELL|\$\(let "
)


def test_no_script_needs_a_gnu_tool() -> None:
    # What stands in deploy/systemd runs on the machine that it is for, which is a Debian.
    scripts = [
        path
        for path in bake.listed()
        if path.endswith((".sh", "Makefile")) and "/deploy/systemd/" not in path
    ]
    assert len(scripts) > 5
    code = {path: re.sub(r"(^|\s)#.*", "", text_of(path)) for path in scripts}
    found = {path: GNU_ONLY.findall(text) for path, text in code.items()}
    assert {path: used for path, used in found.items() if used} == {}


@pytest.mark.parametrize(("page", "lines"), [("README.md", 120), (f"{bake.SERVICE}/README.md", 60)])
def test_a_readme_is_short(page: str, lines: int) -> None:
    assert len(text_of(page).splitlines()) <= lines


def test_a_service_has_no_licence_until_its_owner_adds_one() -> None:
    assert "LICENSE" in bake.listed()
    ours = [path for path in bake.listed(bake.SERVICE) if Path(path).name.startswith("LICEN")]
    assert ours == []
    project = tomllib.loads(text_of(f"{bake.SERVICE}/pyproject.toml"))["project"]
    assert not {"license", "license-files", "classifiers"} & set(project)


def changelog() -> dict[str, str]:
    """What each entry says, by its title, the newest first."""
    parts = re.split(r"^## (.+)\n", text_of("CHANGELOG.md"), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_changelog_entry_ends_in_how_to_upgrade() -> None:
    assert changelog()
    for title, entry in changelog().items():
        *_, last = re.findall(r"^#+ .*", entry, re.M) or [""]
        assert last == "### Upgrading an existing service", title
        assert entry.partition(last)[2].strip(), title


def test_the_version_is_that_of_the_newest_release_in_the_changelog() -> None:
    titles = [title for title in changelog() if title != "Unreleased"]
    assert "Unreleased" not in list(changelog())[1:]
    assert [title for title in titles if not re.match(r"\d+\.\d+\.\d+( |$)", title)] == []
    released = [tuple(int(part) for part in title.split()[0].split(".")) for title in titles]
    assert released == sorted(set(released), reverse=True)
    version = tomllib.loads(text_of("pyproject.toml"))["project"]["version"]
    # The first release has its number before it has an entry.
    newest = titles[0].split()[0] if titles else "0.1.0"
    assert version == newest


def test_the_workflow_runs_what_every_machine_runs() -> None:
    workflow = yaml.safe_load(text_of(".github/workflows/ci.yml"))
    commands = [step.get("run") for job in workflow["jobs"].values() for step in job["steps"]]
    assert {"make check", ".ci/run"} <= set(commands)
    assert workflow["permissions"] == {}
    used = re.findall(r"uses: (.*)", text_of(".github/workflows/ci.yml"))
    assert [one for one in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d[\d.]*", one)] == []


@pytest.mark.parametrize(
    "command",
    [
        ["zizmor", "--offline", "--persona", "pedantic", "--no-progress", ".github"],
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows"],
    ],
    ids=["zizmor", "schema"],
)
def test_the_workflows_pass_the_tools_of_the_service(
    command: list[str], service_environment: Path
) -> None:
    tool, *options = command
    if tool == "check-jsonschema":
        options += [str(path) for path in (ROOT / ".github/workflows").glob("*.yml")]
    finished = subprocess.run(
        [service_environment / "bin" / tool, *options],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=clean_environment(),
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_editors_are_told_the_same_in_the_template_and_in_the_service() -> None:
    assert text_of(".editorconfig") == text_of(f"{bake.SERVICE}/.editorconfig")
