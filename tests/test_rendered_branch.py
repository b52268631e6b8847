"""The branch `rendered`: what a release generates, and what a service merges by git alone."""

import re
import subprocess
from pathlib import Path

import pytest
import releases
import yaml
from conftest import ROOT
from releases import as_the_page_says, commit_all, copy_of, edit, git, publish, run

ADD_REMOTE = f"git remote add -t rendered template {releases.URL}"
FETCH = "git fetch template"
START = (
    "git merge -s ours --allow-unrelated-histories"
    ' -m "Start from v0.1.0 of the template" rendered/v0.1.0'
)
REMOVE = "git rm -r -f --ignore-unmatch apps/shop 'tests/*/shop/*'"
UPDATE = "git merge -X subtree=my-service rendered/v0.2.0"


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A template with two releases of which none is published."""
    upstream = releases.make_template(tmp_path_factory.mktemp("two"))
    releases.make_second_release(upstream)
    return upstream


@pytest.fixture(scope="module")
def two_published(two: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    upstream = copy_of(two, tmp_path_factory.mktemp("published"))
    for version in ("v0.1.0", "v0.2.0"):
        publish(upstream, version)
    return upstream


@pytest.fixture
def upstream(two: Path, tmp_path: Path) -> Path:
    return copy_of(two, tmp_path)


@pytest.fixture(scope="module")
def generated(two: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    service = releases.make_service(tmp_path_factory.mktemp("generated"), two)
    git(service, "rm", "--quiet", ".cruft.json")
    git(service, "commit", "--quiet", "--amend", "--no-edit")
    return service


@pytest.fixture
def service(generated: Path, two_published: Path, tmp_path: Path) -> Path:
    """A service of the first release, as cookiecutter makes it, with the releases fetched."""
    service = copy_of(generated, tmp_path)
    as_the_page_says(ADD_REMOTE, service, two_published)
    as_the_page_says(FETCH, service, two_published)
    return service


def test_each_release_is_one_commit_and_one_tag(two_published: Path) -> None:
    log = git(two_published, "log", "--format=%s|%b", "rendered").replace("\n", "")
    commits = [git(two_published, "rev-parse", f"v0.{n}.0").strip() for n in (2, 1)]
    assert log == "".join(
        f"v0.{n}.0 with the default answers|Template-Commit: {commit}"
        for n, commit in zip((2, 1), commits, strict=True)
    )
    for tag, place in (("rendered/v0.2.0", "rendered"), ("rendered/v0.1.0", "rendered~1")):
        assert git(two_published, "rev-parse", tag) == git(two_published, "rev-parse", place)


def test_the_branch_holds_byte_for_byte_what_a_user_generates(
    default_service: Path, two_published: Path, tmp_path: Path
) -> None:
    generated = copy_of(default_service, tmp_path)
    git(generated, "init", "--quiet")
    git(generated, "add", "--all")
    tree = git(generated, "write-tree")
    assert git(two_published, "rev-parse", "rendered/v0.1.0:my-service") == tree
    assert git(two_published, "ls-tree", "--name-only", "rendered/v0.1.0") == "my-service\n"


def test_the_difference_of_two_releases_is_what_the_template_changed(two_published: Path) -> None:
    names = "diff", "--no-renames", "--name-only", "rendered/v0.1.0", "rendered/v0.2.0"
    changed = {path.removeprefix("my-service/") for path in git(two_published, *names).split()}
    assert changed == releases.CHANGED_UPSTREAM


def test_the_same_releases_give_the_same_commits_anywhere(
    two_published: Path, upstream: Path
) -> None:
    git(upstream, "config", "user.name", "Somebody else")
    git(upstream, "config", "core.autocrlf", "true")
    for version in ("v0.1.0", "v0.2.0"):
        publish(upstream, version)
    assert git(upstream, "rev-parse", "rendered") == git(two_published, "rev-parse", "rendered")


def test_neither_the_work_tree_nor_the_index_is_touched(upstream: Path) -> None:
    edit(upstream / "pyproject.toml", new="# half done")
    edit(upstream / "cookiecutter.json", old="acme", new="half-done")
    git(upstream, "add", "cookiecutter.json")
    before = git(upstream, "status", "--porcelain"), git(upstream, "diff", "HEAD")
    publish(upstream, "v0.1.0")
    assert (git(upstream, "status", "--porcelain"), git(upstream, "diff", "HEAD")) == before
    assert git(upstream, "branch", "--show-current") == "main\n"
    assert b"half-done" not in git(upstream, "show", "rendered:my-service/README.md").encode()


def test_a_release_that_is_published_already_is_left_alone(upstream: Path) -> None:
    publish(upstream, "v0.1.0")
    before = git(upstream, "show-ref")
    assert publish(upstream, "v0.1.0").stdout == "v0.1.0 is on the branch rendered already.\n"
    assert git(upstream, "show-ref") == before


def test_a_clone_continues_the_branch_of_its_origin(upstream: Path, tmp_path: Path) -> None:
    publish(upstream, "v0.1.0")
    clone = tmp_path / "clone"
    git(upstream, "clone", "--quiet", str(upstream), str(clone))
    publish(clone, "v0.2.0")
    git(clone, "push", "--quiet", "origin", "rendered")
    assert len(git(upstream, "rev-list", "rendered").split()) == 2


def spoil(upstream: Path, path: str, text: str) -> None:
    (upstream / path).write_text(text, encoding="utf-8")
    commit_all(upstream, "Spoil")
    git(upstream, "tag", "v0.3.0")


@pytest.mark.parametrize(
    ("name", "path", "text", "reason"),
    [
        ("latest", "", "", "'latest' names no release; use a tag such as v1.2.0"),
        ("v9.9.9", "", "", "there is no tag v9.9.9"),
        ("v0.3.0", "README", "", "v0.3.0 holds version 0.2.0 in pyproject.toml"),
        ("v0.3.0", "pyproject.toml", '[project]\nversion = "0.3.0"\n', "add '## 0.3.0'"),
    ],
    ids=["no release", "no tag", "another version", "no entry"],
)
def test_what_is_no_release_is_refused_in_one_sentence(
    name: str, path: str, text: str, reason: str, upstream: Path
) -> None:
    if path:
        spoil(upstream, path, text)
    refused = publish(upstream, name, status=1)
    assert reason in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert "rendered" not in git(upstream, "show-ref")


def test_an_older_release_cannot_follow_a_newer_one(upstream: Path) -> None:
    publish(upstream, "v0.2.0")
    refused = publish(upstream, "v0.1.0", status=1)
    assert "v0.1.0 does not come after v0.2.0" in refused.stderr
    assert len(git(upstream, "rev-list", "rendered").split()) == 1


def test_defaults_that_generate_nothing_are_not_published(upstream: Path) -> None:
    edit(upstream / "cookiecutter.json", old='"acme"', new='"@Acme"')
    releases.release(upstream, "0.3.0")
    refused = publish(upstream, "v0.3.0", status=1)
    assert "owner '@Acme' is not a GitHub account name" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "rendered" not in git(upstream, "show-ref")


def test_a_merge_loses_nothing_and_conflicts_only_where_both_changed(
    service: Path, two_published: Path
) -> None:
    releases.change_as_owner(service)
    before = git(service, "rev-parse", "HEAD^{tree}")
    as_the_page_says(START, service, two_published)
    assert git(service, "rev-parse", "HEAD^{tree}") == before
    as_the_page_says(FETCH, service, two_published)
    as_the_page_says(UPDATE, service, two_published, status=1)
    both = {releases.BOTH_IN_ONE_PLACE, releases.DELETED_BY_OWNER}
    assert releases.unmerged(service) == both
    git(service, "rm", "--quiet", releases.DELETED_BY_OWNER)
    releases.assert_nothing_is_lost(service)
    releases.assert_conflict_holds_both(service, releases.BOTH_IN_ONE_PLACE)
    releases.assert_python_is_whole(service)


def test_answers_are_kept_and_only_a_change_beside_one_is_a_conflict(
    service: Path, two_published: Path
) -> None:
    as_the_page_says(START, service, two_published)
    as_the_page_says(UPDATE, service, two_published, status=1)
    # The line of the second release stands below the one with the domain and the owner.
    assert releases.unmerged(service) == {releases.BOTH_IN_ONE_PLACE}
    text = (service / releases.BOTH_IN_ONE_PLACE).read_text(encoding="utf-8")
    assert f"# {releases.ANSWERS[1]}\n" in text
    assert releases.ANSWERS[3] in text


def test_what_a_release_deleted_and_the_owner_changed_is_a_conflict(
    service: Path, two_published: Path
) -> None:
    edit(service / releases.DELETED, new=releases.OURS)
    commit_all(service, "Work")
    as_the_page_says(START, service, two_published)
    as_the_page_says(UPDATE, service, two_published, status=1)
    assert releases.unmerged(service) == {releases.DELETED, releases.BOTH_IN_ONE_PLACE}
    assert releases.OURS in (service / releases.DELETED).read_text(encoding="utf-8")


def test_a_third_release_merges_without_what_the_second_one_settled(
    service: Path, upstream: Path
) -> None:
    git(service, "remote", "remove", "template")
    publish(upstream, "v0.1.0")
    publish(upstream, "v0.2.0")
    as_the_page_says(ADD_REMOTE, service, upstream)
    releases.change_as_owner(service)
    as_the_page_says(START, service, upstream)
    as_the_page_says(UPDATE, service, upstream, status=1)
    git(service, "checkout", "--quiet", "--ours", releases.BOTH_IN_ONE_PLACE)
    git(service, "rm", "--quiet", releases.DELETED_BY_OWNER)
    commit_all(service, "Update")
    (upstream / "{{cookiecutter.project_slug}}" / releases.ADDED).unlink()
    releases.release(upstream, "0.3.0")
    publish(upstream, "v0.3.0")
    as_the_page_says(FETCH, service, upstream)
    git(service, "merge", "-X", "subtree=my-service", "rendered/v0.3.0")
    assert git(service, "diff", "--name-only", "HEAD~1").split() == [releases.ADDED]


def test_a_merge_after_the_examples_are_gone_leaves_them_to_one_command(
    service: Path, tmp_path: Path
) -> None:
    git(service, "remote", "remove", "template")
    upstream = releases.make_template(tmp_path)
    publish(upstream, "v0.1.0")
    releases.release_with_examples(upstream)
    publish(upstream, "v0.2.0")
    as_the_page_says(ADD_REMOTE, service, upstream)
    git(service, "fetch", "--tags", "--force", "template")
    releases.remove_examples(service)
    as_the_page_says(START, service, upstream)
    as_the_page_says(UPDATE, service, upstream, status=1)
    as_the_page_says(REMOVE, service, upstream)
    assert releases.examples_of(service) == set()
    assert git(service, "diff", "--name-only", "HEAD").split() == [releases.UPSTREAM_ONLY]
    assert releases.unmerged(service) == set()


def test_the_workflow_publishes_releases_and_may_write_in_that_job_alone() -> None:
    text = (ROOT / ".github/workflows/rendered.yml").read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {}
    assert [job["permissions"] for job in workflow["jobs"].values()] == [{"contents": "write"}]
    # YAML 1.1 reads the key `on` as true.
    assert workflow[True] == {"push": {"tags": ["v[0-9]+.[0-9]+.[0-9]+"]}}
    used = re.findall(r"uses: (.*)", text)
    assert [one for one in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d[\d.]*", one)] == []


def test_the_commands_of_the_workflow_publish_to_the_origin(upstream: Path, tmp_path: Path) -> None:
    """On a repository of this machine: the script itself instead of make, and no GitHub."""
    workflow = yaml.safe_load((ROOT / ".github/workflows/rendered.yml").read_text(encoding="utf-8"))
    make, push = [step["run"] for step in workflow["jobs"]["rendered"]["steps"] if "run" in step]
    assert make == 'make rendered RELEASE="$GITHUB_REF_NAME"'
    login, _, push = push.partition(" && ")
    assert login == "gh auth setup-git"
    clone = tmp_path / "clone"
    git(upstream, "clone", "--quiet", str(upstream), str(clone))
    for version in ("v0.1.0", "v0.2.0"):
        publish(clone, version)
        run(clone, "env", f"GITHUB_REF_NAME={version}", "sh", "-c", push)
        # Once more, as a job that is started again does in a clone of its own.
        run(clone, "env", f"GITHUB_REF_NAME={version}", "sh", "-c", push)
    for name in ("rendered", "rendered/v0.1.0", "rendered/v0.2.0"):
        assert git(upstream, "rev-parse", name) == git(clone, "rev-parse", name)


def test_make_rendered_takes_the_release() -> None:
    command = ["make", "--silent", "rendered", "RELEASE=v9.9.9"]
    finished = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    assert finished.returncode != 0
    assert "there is no tag v9.9.9" in finished.stderr
