"""Commits what a release generates, with the default answers, to the branch `rendered`.

The branch is a service that can be read without generating one, a diff for each release, and what
a service merges from by git alone (docs/updating.md). Each of its commits is tagged, too:
`rendered/v1.2.0` is what `v1.2.0` generates. .github/workflows/rendered.yml pushes both.

The service keeps its folder there. At the top of the branch its own workflows would be workflows
of this repository, which no token of a workflow may push.

It is written by git's plumbing, so neither the work tree nor the index is touched, and with the
name and the time of the release's own commit, so the same releases give the same branch anywhere.
"""

import argparse
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path

import bake

BRANCH = "refs/heads/rendered"
# Where a clone that never wrote the branch itself finds it.
PLACES = (BRANCH, "refs/remotes/origin/rendered")
COMMIT = re.compile(r"^Template-Commit: ([0-9a-f]{40})$", re.M)


def git(*words: str, stdin: str | None = None, **variables: str) -> str:
    return subprocess.run(
        ["git", *words],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        input=stdin,
        cwd=bake.ROOT,
        env=os.environ | variables,
    ).stdout.strip()


def commit_of(name: str) -> str | None:
    command = ["git", "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"]
    found = subprocess.run(command, check=False, capture_output=True, text=True, cwd=bake.ROOT)
    return found.stdout.strip() or None


def released(release: str) -> str:
    """The commit of a release. Exits with a sentence where the tag and the files disagree."""
    if not re.fullmatch(r"v\d+\.\d+\.\d+", release):
        sys.exit(f"{release!r} names no release; use a tag such as v1.2.0")
    commit = commit_of(f"refs/tags/{release}")
    if commit is None:
        sys.exit(f"there is no tag {release}; fetch it (git fetch --tags) or make it first")
    version = tomllib.loads(git("show", f"{commit}:pyproject.toml"))["project"]["version"]
    if release != f"v{version}":
        sys.exit(f"{release} holds version {version} in pyproject.toml; correct it and tag again")
    if not re.search(rf"^## {re.escape(version)}\b", git("show", f"{commit}:CHANGELOG.md"), re.M):
        sys.exit(f"{release} has no entry in CHANGELOG.md; add '## {version}' and tag again")
    return commit


def generate(commit: str, folder: Path) -> Path:
    """The folder that holds the service's folder, as the template of a commit generates it."""
    archive = subprocess.run(
        ["git", "archive", "--format=tar", commit, "--", *bake.PARTS],
        check=True,
        stdout=subprocess.PIPE,
        cwd=bake.ROOT,
    ).stdout
    template, output = folder / "template", folder / "output"
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(template, filter="data")
    command = bake.cookiecutter_command(template, output, state=folder)
    # stderr is shown: a hook that refuses says there what is wrong with the defaults.
    if subprocess.run(command, check=False, stdout=subprocess.PIPE).returncode:
        sys.exit("the default answers generate nothing: correct them and tag again")
    return output


def tree_of(folder: Path, index: Path) -> str:
    """Write a folder as a tree of this repository, byte for byte, whatever the user's settings."""
    own = {"GIT_INDEX_FILE": str(index)}
    exact = ("-c", "core.autocrlf=false", "-c", "core.fileMode=true")
    where = ("--git-dir", git("rev-parse", "--absolute-git-dir"), "--work-tree", str(folder))
    git(*exact, *where, "add", "--all", "--force", ".", **own)
    return git("write-tree", **own)


def parent_of(release: str, commit: str) -> str | None:
    """The newest commit of the branch. Exits unless it holds an earlier release than this one."""
    parent = next((found for place in PLACES if (found := commit_of(place))), None)
    if parent is None:
        return None
    message = git("show", "--no-patch", "--format=%B", parent)
    published = COMMIT.search(message)
    if published is None:
        sys.exit(f"the newest commit of {BRANCH} ({parent}) names no Template-Commit: look at it")
    comes_after = ["git", "merge-base", "--is-ancestor", published[1], commit]
    if subprocess.run(comes_after, check=False, capture_output=True, cwd=bake.ROOT).returncode:
        sys.exit(
            f"{release} does not come after {message.split()[0]}, the newest release on {BRANCH};"
            " a branch for merging cannot go back"
        )
    return parent


def publish(release: str) -> str:
    """Commit a release to the branch and return the sentence that says so."""
    tag = f"refs/tags/rendered/{release}"
    commit = released(release)
    if commit_of(tag):
        return f"{release} is on the branch rendered already."
    parent = parent_of(release, commit)
    with tempfile.TemporaryDirectory(prefix="rendered-") as temporary:
        tree = tree_of(generate(commit, Path(temporary)), Path(temporary, "index"))
    name, mail, day = git("show", "--no-patch", "--format=%cn%n%ce%n%cI", commit).split("\n")
    made = git(
        "commit-tree",
        tree,
        *(("-p", parent) if parent else ()),
        stdin=f"{release} with the default answers\n\nTemplate-Commit: {commit}\n",
        GIT_AUTHOR_NAME=name,
        GIT_AUTHOR_EMAIL=mail,
        GIT_AUTHOR_DATE=day,
        GIT_COMMITTER_NAME=name,
        GIT_COMMITTER_EMAIL=mail,
        GIT_COMMITTER_DATE=day,
    )
    # Both or neither: a tag without the branch would say that the release is published.
    git("update-ref", "--stdin", stdin=f"update {BRANCH} {made}\ncreate {tag} {made}\n")
    return f"{release} is commit {made[:12]} of the branch rendered."


def main() -> None:
    parser = argparse.ArgumentParser(description="Commit a release's service to rendered.")
    parser.add_argument("release", help="a tag of this repository, such as v1.2.0")
    print(publish(parser.parse_args().release))


if __name__ == "__main__":
    main()
