"""`cruft update`, by the real cruft: nothing is lost, conflicts are where both sides changed."""

import json
import re
import subprocess
import sys
from pathlib import Path

import bake
import pytest
import releases
from conftest import ROOT, clean_environment, files_below, without_network
from releases import as_the_page_says, commit_all, copy_of, edit, git, run

ADD_REMOTE = f"git remote add -t rendered template {releases.URL}"
FETCH = "git fetch template"
UPDATE = "uvx cruft update --skip-apply-ask --checkout v0.2.0"
LINK = f"uvx cruft link {releases.URL} --checkout v0.1.0"
CHANGE_OWNER = f"""{UPDATE} --variables-to-update '{{"owner": "initech"}}'"""


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A template whose only release is v0.1.0, published."""
    upstream = releases.make_template(tmp_path_factory.mktemp("first"))
    releases.publish(upstream, "v0.1.0")
    return upstream


@pytest.fixture(scope="module")
def generated(first: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return releases.make_service(tmp_path_factory.mktemp("generated"), first)


@pytest.fixture
def upstream(first: Path, tmp_path: Path) -> Path:
    return copy_of(first, tmp_path)


@pytest.fixture
def service(generated: Path, upstream: Path, tmp_path: Path) -> Path:
    """A service of the first release, which knows the test's own template."""
    service = copy_of(generated, tmp_path)
    state = service / ".cruft.json"
    text = state.read_text(encoding="utf-8")
    moved = text.replace(json.loads(text)["template"], str(upstream))
    state.write_text(moved, encoding="utf-8")
    commit_all(service, "Move the template")
    return service


def test_cruft_makes_what_cookiecutter_makes_and_its_own_file(
    generated: Path, tmp_path: Path
) -> None:
    questions = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))
    answers = [
        f"{name}={answer}" for name, answer in zip(questions, releases.ANSWERS, strict=False)
    ]
    exported = tmp_path / "exported"
    bake.export(exported)
    command = bake.cookiecutter_command(exported, tmp_path / "out", *answers, state=tmp_path)
    subprocess.run(command, check=True, capture_output=True, env=clean_environment())
    baked = tmp_path / "out" / generated.name
    git(baked, "init", "--quiet")
    commit_all(baked, "Generate")
    listing = "ls-tree", "-r", "HEAD"  # modes and contents
    by_cruft = [line for line in git(generated, *listing).splitlines() if ".cruft.json" not in line]
    assert by_cruft == git(baked, *listing).splitlines()
    made = {path for path in files_below(generated) if not path.startswith(".git/")}
    assert made - set(files_below(baked)) == {".cruft.json"}


def test_an_update_loses_nothing_and_conflicts_only_where_both_changed(
    upstream: Path, service: Path
) -> None:
    releases.change_as_owner(service)
    releases.make_second_release(upstream)
    as_the_page_says(UPDATE, service, upstream)
    releases.assert_nothing_is_lost(service)
    assert not (service / releases.DELETED_BY_OWNER).exists()
    assert releases.unmerged(service) == {releases.BOTH_IN_ONE_PLACE}
    releases.assert_conflict_holds_both(service, releases.BOTH_IN_ONE_PLACE)
    left = run(service, "git", "diff", "--check", status=2).stdout
    assert set(re.findall(r"^(.+?):\d+: leftover", left, re.M)) == {releases.BOTH_IN_ONE_PLACE}
    assert releases.rejects(service) == set()
    releases.assert_python_is_whole(service)
    state = json.loads((service / ".cruft.json").read_text(encoding="utf-8"))
    assert state["commit"] == git(upstream, "rev-parse", "v0.2.0").strip()
    git(service, "reset", "--hard")
    assert git(service, "status", "--porcelain") == ""


def test_an_update_prints_no_commands_for_the_folders_it_compares(
    upstream: Path, service: Path
) -> None:
    releases.make_second_release(upstream)
    printed = as_the_page_says(UPDATE, service, upstream).stdout
    assert "Good work" in printed
    assert "make run" not in printed


def test_an_update_needs_no_network_where_the_template_is_on_the_machine(
    upstream: Path, service: Path
) -> None:
    prefix, variables = without_network()
    releases.make_second_release(upstream)
    assigned = [f"{name}={value}" for name, value in variables.items()]
    update = [sys.executable, "-m", "cruft", "update", "--skip-apply-ask"]
    run(service, "env", *assigned, *prefix, *update)
    assert (service / releases.ADDED).is_file()


def test_a_second_update_to_the_same_release_changes_nothing(upstream: Path, service: Path) -> None:
    releases.make_second_release(upstream)
    as_the_page_says(UPDATE, service, upstream)
    commit_all(service, "Update")
    assert "up to date" in as_the_page_says(UPDATE, service, upstream).stdout
    assert git(service, "status", "--porcelain") == ""


def test_a_release_that_deletes_what_the_owner_changed_leaves_the_file_and_names_it(
    upstream: Path, service: Path
) -> None:
    edit(service / releases.DELETED, new=releases.OURS)
    releases.change_as_owner(service)
    releases.make_second_release(upstream)
    printed = as_the_page_says(UPDATE, service, upstream)
    assert releases.OURS in (service / releases.DELETED).read_text(encoding="utf-8")
    (service / releases.DELETED).unlink()
    releases.assert_nothing_is_lost(service)
    assert releases.rejects(service) == {f"{releases.BOTH_IN_ONE_PLACE}.rej"}
    assert f"error: patch failed: {releases.DELETED}" in printed.stderr
    assert ".rej" in printed.stdout


def work_on_two_releases(upstream: Path, service: Path, tmp_path: Path) -> Path:
    """A clone of a service that took over v0.2.0, before a v0.3.0 that touches the owner's line."""
    start = service / releases.BOTH_APART
    edit(start, old="#!/bin/sh\n", new=f"#!/bin/sh\n{releases.OURS}\n")
    commit_all(service, "Work")
    releases.make_second_release(upstream)
    as_the_page_says(UPDATE, service, upstream)
    commit_all(service, "Update")
    edit(
        upstream / bake.SERVICE / releases.BOTH_APART,
        old="#!/bin/sh\n",
        new=f"#!/bin/sh\n{releases.THEIRS}\n",
    )
    releases.release(upstream, "0.3.0")
    for version in ("v0.2.0", "v0.3.0"):
        releases.publish(upstream, version)
    clone = tmp_path / "clone"
    git(service, "clone", "--quiet", "--no-local", str(service), str(clone))
    return clone


def update_to_third(clone: Path) -> None:
    update = ["update", "--skip-apply-ask", "--checkout", "v0.3.0"]
    run(clone, sys.executable, "-m", "cruft", *update)


def test_a_clone_that_fetched_the_releases_merges_from_a_version_it_never_had(
    upstream: Path, service: Path, tmp_path: Path
) -> None:
    clone = work_on_two_releases(upstream, service, tmp_path)
    as_the_page_says(ADD_REMOTE, clone, upstream)
    as_the_page_says(FETCH, clone, upstream)
    update_to_third(clone)
    assert releases.rejects(clone) == set()
    assert releases.unmerged(clone) == {releases.BOTH_APART}
    releases.assert_conflict_holds_both(clone, releases.BOTH_APART)


def test_a_clone_without_the_releases_keeps_its_file_beside_what_could_not_be_merged(
    upstream: Path, service: Path, tmp_path: Path
) -> None:
    clone = work_on_two_releases(upstream, service, tmp_path)
    update_to_third(clone)
    assert releases.rejects(clone) == {f"{releases.BOTH_APART}.rej"}
    assert releases.OURS in (clone / releases.BOTH_APART).read_text(encoding="utf-8")


def test_a_file_that_both_sides_added_holds_both(upstream: Path, service: Path) -> None:
    (service / releases.ADDED).parent.mkdir()
    (service / releases.ADDED).write_text(f"{releases.OURS}\n", encoding="utf-8")
    commit_all(service, "Have the same idea")
    releases.make_second_release(upstream)
    as_the_page_says(UPDATE, service, upstream)
    assert releases.unmerged(service) == {releases.ADDED}
    releases.assert_conflict_holds_both(service, releases.ADDED)


def test_a_new_kind_of_file_arrives_unrendered(upstream: Path, service: Path) -> None:
    """The patterns in .cruft.json are those of the old release, and must not be used."""
    edit(upstream / "cookiecutter.json", old='"Makefile",', new='"Makefile",\n    "*.tmpl",')
    (upstream / bake.SERVICE / "page.tmpl").write_text("{{ undefined.value }}\n", encoding="utf-8")
    releases.release(upstream, "0.2.0")
    as_the_page_says(UPDATE, service, upstream)
    assert (service / "page.tmpl").read_text(encoding="utf-8") == "{{ undefined.value }}\n"
    assert "*.tmpl" in (service / ".cruft.json").read_text(encoding="utf-8")


def test_every_file_is_utf_8_or_binary() -> None:
    """cruft ends in an error at a difference that it cannot decode; a NUL makes git encode it."""
    files = {path: (ROOT / path).read_bytes() for path in bake.listed(bake.SERVICE)}
    assert any(b"\0" in content for content in files.values())
    text = {path: content for path, content in files.items() if b"\0" not in content[:8000]}
    assert [p for p, content in text.items() if "\ufffd" in content.decode(errors="replace")] == []


@pytest.mark.parametrize("name", ["manage.py", "new.py"], ids=["changed", "untracked"])
def test_a_tree_with_changes_is_refused_and_left_alone(
    name: str, upstream: Path, service: Path
) -> None:
    with (service / name).open("a", encoding="utf-8") as file:
        file.write("mine = True\n")
    before = files_below(service)
    releases.make_second_release(upstream)
    printed = as_the_page_says(UPDATE, service, upstream, status=1).stdout
    assert "Please make sure your git working tree is clean" in printed
    changed = {
        path for path, content in files_below(service).items() if before.get(path) != content
    }
    assert {path for path in changed if not path.startswith(".git/")} == set()


def test_an_owner_changes_an_answer_and_every_file_that_holds_it_follows(
    upstream: Path, service: Path
) -> None:
    *_, old = releases.ANSWERS
    holding = set(git(service, "grep", "--files-with-matches", old).split())
    assert len(holding) > 3
    git(upstream, "tag", "v0.2.0")  # the release that the service has, by the name on the page
    as_the_page_says(CHANGE_OWNER, service, upstream)
    assert set(git(service, "diff", "--name-only", "HEAD").split()) == holding
    assert run(service, "git", "grep", old, status=1).stdout == ""
    assert releases.unmerged(service) == set()


def test_an_answer_that_the_rules_refuse_changes_nothing(upstream: Path, service: Path) -> None:
    command = ["update", "--skip-apply-ask", "--variables-to-update", '{"owner": "@Acme"}']
    finished = run(service, sys.executable, "-m", "cruft", *command, status=1)
    assert "owner '@Acme' is not a GitHub account name" in finished.stderr
    assert git(service, "status", "--porcelain") == ""


def test_a_service_of_plain_cookiecutter_is_linked_and_then_updated(
    upstream: Path, service: Path
) -> None:
    git(service, "rm", "--quiet", ".cruft.json")
    releases.change_as_owner(service)
    # The last line accepts the commit that the tag stands for.
    as_the_page_says(LINK, service, upstream, stdin="\n".join([*releases.ANSWERS, "", ""]))
    commit_all(service, "Link")
    releases.make_second_release(upstream)
    as_the_page_says(UPDATE, service, upstream)
    releases.assert_nothing_is_lost(service)
    assert releases.unmerged(service) == {releases.BOTH_IN_ONE_PLACE}


def test_an_update_does_not_bring_removed_examples_back(upstream: Path, service: Path) -> None:
    releases.remove_examples(service)
    releases.release_with_examples(upstream)
    as_the_page_says(UPDATE, service, upstream)
    assert releases.examples_of(service) == set()
    assert releases.unmerged(service) | releases.rejects(service) == set()
    assert git(service, "diff", "--name-only", "HEAD").split() == [
        ".cruft.json",
        releases.UPSTREAM_ONLY,
    ]
    (named,) = [block for block in releases.PAGE.split("```") if block.startswith("toml\n")]
    assert named.removeprefix("toml\n") in (service / "pyproject.toml").read_text(encoding="utf-8")


def previous() -> str:
    """The last release that generates something else than now, or the last such commit."""

    def ask(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], check=False, capture_output=True, text=True, cwd=ROOT
        )
        return done.stdout.strip()

    changed = ask("--literal-pathspecs", "log", "-1", "--format=%H", "HEAD", "--", *bake.PARTS)
    before = ask("rev-parse", "--verify", "--quiet", f"{changed}^")
    if not before:
        pytest.fail("this clone has no history to update from: run  git fetch --unshallow --tags")
    return ask("describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", before) or before


def test_a_service_of_the_previous_commit_takes_over_this_one(tmp_path: Path) -> None:
    upstream = tmp_path / "upstream"
    upstream.mkdir()
    git(upstream, "init", "--quiet")
    archive = ["git", "archive", "--format=tar", previous(), "--", *bake.PARTS]
    packed = subprocess.run(archive, check=True, capture_output=True, cwd=ROOT).stdout
    subprocess.run(["tar", "-x"], check=True, cwd=upstream, input=packed)
    commit_all(upstream, "Before")
    create = [sys.executable, "-m", "cruft", "create", str(upstream), "--no-input"]
    answers = ["--extra-context", json.dumps({"project_name": "Acme shop", "owner": "initech"})]
    run(tmp_path, *create, *answers)
    service = tmp_path / "acme-shop"
    git(service, "init", "--quiet")
    commit_all(service, "Generate")
    before = files_below(service)

    edited = ("README.md", "Makefile", "config/urls.py")
    for name in edited:
        edit(service / name, new=releases.OURS)
    commit_all(service, "Work")
    for part in bake.PARTS:
        git(upstream, "rm", "-r", "--quiet", part)
    bake.export(upstream)
    commit_all(upstream, "After")
    run(service, sys.executable, "-m", "cruft", "update", "--skip-apply-ask")

    run(tmp_path, *create, *answers, "--output-dir", "fresh")
    fresh = files_below(tmp_path / "fresh/acme-shop")
    now = {path: content for path, content in files_below(service).items() if ".git/" not in path}
    assert set(now) == set(fresh)
    assert [path for path in fresh if path not in edited and now[path] != fresh[path]] == []
    assert [path for path in edited if releases.OURS not in now[path].decode()] == []
    changed = {path for path in edited if before[path] != fresh[path]}
    assert releases.unmerged(service) <= changed
