"""deploy/kubernetes/release.sh by a kubectl that writes down what it is asked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from scripts.manifests.render import ManifestError, for_release, rendered
from tests.repository.kubernetes.conftest import made, needs_kubectl
from tests.stack import BASE_DIR

SCRIPT = BASE_DIR / "deploy/kubernetes/release.sh"
SERVICE, POOLER = (f"sha256:{letter * 64}" for letter in "ab")
# `migrate` succeeds at the second look, or has failed, as the file `end` says.
KUBECTL = """\
#!/bin/sh
echo "$*" >>{folder}/asked
case "$*" in
*succeeded*)
    [ "$(cat {folder}/end)" = Complete ] && [ "$(grep -c succeeded {folder}/asked)" = 2 ] && echo 1
    ;;
*conditions*) [ "$(cat {folder}/end)" = Failed ] && echo Failed ;;
*"get deployments"*pgbouncer*) echo deployment.apps/pgbouncer ;;
*"get deployments"*worker*) echo deployment.apps/worker-high deployment.apps/relay ;;
*"get deployments"*web*) echo deployment.apps/web ;;
esac
exit 0
"""


def release(folder: Path, end: str, *arguments: str) -> tuple[int, list[str], str]:
    """Its exit status, what it asked kubectl, and what it said."""
    (folder / "end").write_text(end)
    program = folder / "recorder"
    program.write_text(KUBECTL.format(folder=folder))
    program.chmod(0o755)
    done = subprocess.run(
        ["sh", SCRIPT, *arguments],
        env={**os.environ, "KUBECTL": str(program), "PYTHON": sys.executable, "INTERVAL": "0.1"},
        capture_output=True,
        text=True,
        check=False,
    )
    asked = folder / "asked"
    lines = asked.read_text().splitlines() if asked.exists() else []
    return done.returncode, lines, done.stderr


def steps(asked: list[str]) -> list[str]:
    """What was applied, watched and deleted, in order."""
    found = []
    for line in asked:
        words = line.split(maxsplit=3)[2:]
        if words[0] == "apply":
            found.append(line.partition("--selector ")[2])
        elif words[0] == "rollout":
            found.append(line.rpartition("/")[2])
        elif words[0] == "delete":
            found.append("delete migrate")
    return found


def test_a_release_migrates_and_then_rolls_consumers_before_what_sends_them_work(
    tmp_path: Path,
) -> None:
    needs_kubectl()
    status, asked, said = release(tmp_path, "Complete", "production", SERVICE, POOLER)
    assert status == 0, said
    component = "app.kubernetes.io/component"
    assert steps(asked) == [
        f"!{component}",
        f"{component} in (pgbouncer)",
        "pgbouncer",
        "delete migrate",
        f"{component} in (migrate, orphaned-files)",
        f"{component} in (worker-high,worker-default,worker-low,relay,beat)",
        "worker-high",
        "relay",
        f"{component} in (web,asgi)",
        "web",
    ]


def test_a_migration_that_fails_ends_the_release_before_any_new_code_runs(tmp_path: Path) -> None:
    needs_kubectl()
    status, asked, said = release(tmp_path, "Failed", "production", SERVICE, POOLER)
    assert status == 1
    assert "the migration failed" in said
    assert not [line for line in asked if "web" in line or "worker" in line]


@pytest.mark.parametrize(
    "arguments",
    [
        ("production", f"sha256:{'0' * 64}", POOLER),
        ("production", "latest", POOLER),
        ("production", SERVICE),
    ],
)
def test_a_release_without_a_digest_changes_nothing(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    needs_kubectl()
    status, asked, said = release(tmp_path, "Complete", *arguments)
    assert status != 0
    assert "digest" in said
    assert asked == []


def test_every_object_is_applied_by_exactly_one_step() -> None:
    needs_kubectl()
    text = SCRIPT.read_text()
    named = {"pgbouncer", "migrate", "orphaned-files", "web", "asgi", "relay", "beat"}
    named |= {f"worker-{queue}" for queue in ("high", "default", "low")}
    assert all(name in text for name in named)
    for one in made("every component").objects:
        component = one["metadata"].get("labels", {}).get("app.kubernetes.io/component")
        assert component is None or component in named, one["metadata"]["name"]


def test_web_keeps_its_image_while_the_canary_tries_the_new_one() -> None:
    needs_kubectl()
    stable = f"sha256:{'c' * 64}"
    text = for_release(rendered("staging"), service=SERVICE, pgbouncer=POOLER, stable=stable)
    ran = {
        one["metadata"]["name"]: one["spec"]["template"]["spec"]["containers"][0]["image"]
        for one in yaml.safe_load_all(text)
        if one["kind"] in ("Deployment", "Job")
    }
    digests = {name: image.partition("@")[2] for name, image in ran.items()}
    assert digests.pop("web") == stable
    assert digests.pop("pgbouncer") == POOLER
    assert set(digests.values()) == {SERVICE}
    with pytest.raises(ManifestError, match="no canary"):
        for_release(rendered("production"), service=SERVICE, pgbouncer=POOLER, stable=stable)
