"""Each role starts with what its pod is given: config/env.py reads it as production does."""

from __future__ import annotations

from pathlib import Path

from config.env import Environment, load
from core.environment import declared
from tests.repository.kubernetes.objects import Manifests
from tests.repository.kubernetes.test_secrets import FOLDER, keys, mounted

# Of the kind that the store holds; the rest are the examples of config/env.py.
VALUES = {
    "SECRET_KEY": "k3y-of-at-least-fifty-characters-0123456789-abcdefghij",
    "SECRET_KEY_FALLBACKS": "f0rmer-key-of-at-least-fifty-characters-0123456789-abc",
    "S3_ACCESS_KEY_ID": "access-key",
    "S3_SECRET_ACCESS_KEY": "secret-key",
    "DATABASE_WORKER_URL": "postgresql://app:password@pgbouncer:6432/service_worker",
}


def environment(manifests: Manifests, name: str, folder: Path) -> dict[str, str]:
    """What the process of a workload finds, its Secret as files in `folder`."""
    examples = {one.name: one.example for one in declared(Environment)}
    for key, prop in keys(manifests, mounted(manifests, name)).items():
        (folder / key).write_text(VALUES.get(prop) or examples[prop] or "")
    given = dict(manifests.config())
    given |= {one["name"]: one["value"] for one in manifests.main(name).get("env", [])}
    if name == "migrate":  # as scripts/start.sh does
        given["DATABASE_URL_FILE"] = given["DATABASE_DIRECT_URL_FILE"]
    return {key: value.replace(FOLDER, f"{folder}/") for key, value in given.items()}


def test_every_role_starts_with_what_it_is_given(manifests: Manifests, tmp_path: Path) -> None:
    for name in manifests.of_the_service():
        folder = tmp_path / name
        folder.mkdir()
        env = load(environment(manifests, name, folder))
        deployed = ("config.settings.staging", "config.settings.production")
        assert env.DJANGO_SETTINGS_MODULE in deployed, name


def test_tasks_use_the_pool_of_their_own(manifests: Manifests, tmp_path: Path) -> None:
    for name in manifests.of_the_service():
        folder = tmp_path / name
        folder.mkdir()
        database = load(environment(manifests, name, folder)).DATABASE_URL.name
        background = mounted(manifests, name) == "background"
        assert database == ("service_worker" if background else "service"), name


def test_nothing_is_set_that_the_service_does_not_read(manifests: Manifests) -> None:
    known = {one.name for one in declared(Environment)}
    known |= {f"{one.name}_FILE" for one in declared(Environment) if one.secret}
    for name in manifests.of_the_service():
        said = {one["name"] for one in manifests.main(name).get("env", [])}
        assert {*manifests.config(), *said} <= known, name
