"""Each file that sets a variable sets one that the service reads, or one that is named here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.env import Environment
from core.environment import declared
from scripts.manifests.render import DEPLOY
from tests.stack import BASE_DIR

KNOWN = {variable.name for variable in declared(Environment)}
SECRET = {variable.name for variable in declared(Environment) if variable.secret}
# Read by others than the service, and what for.
FOREIGN = {
    "CI": "the tests: a missing server is an error",
    "REGISTRY": "image.yml: where images are pushed",
    "TOKEN": "image.yml: the registry's password, GitHub's own",
    "BUILD": "version.json: the build that made the image",
    "DIGEST": "image.yml: what is signed",
    "BASE_IMAGE": "image.yml: the base by its digest",
    "BASE_NAME": "image.yml: the base by its tag",
    "IMAGE": "image.yml: the name that is pushed",
    "PATH": "the system: the environment's programs",
    "PYTHONDONTWRITEBYTECODE": "Python: the root is read-only",
    "PYTHONUNBUFFERED": "Python: a line is out when it is written",
    "UV_LINK_MODE": "uv, in the build",
    "UV_NO_DEV": "uv, in the build",
    "UV_PROJECT_ENVIRONMENT": "uv, in the build",
    "UV_SYSTEM_CERTS": "uv, in the build",
    "POSTGRES_PASSWORD_FILE": "the PostgreSQL image",
    "POSTGRES_INITDB_ARGS": "the PostgreSQL image",
    "DOMAIN_NAME": "Compose and nginx: deploy/identity.env",
    "OWNER": "the image's name: deploy/identity.env",
}


def assignments(text: str, pattern: str) -> Iterator[str]:
    for found in re.findall(pattern, text, re.MULTILINE):
        yield from re.findall(r"([A-Z][A-Z0-9_]*)=", found)


def of_docker(path: Path) -> Iterator[str]:
    joined = path.read_text().replace("\\\n", " ")
    return assignments(joined, r"^ENV (.*)$")


def of_units(path: Path) -> Iterator[str]:
    return assignments(path.read_text(), r"^Environment=(.*)$")


def of_shell(path: Path) -> Iterator[str]:
    return assignments(path.read_text(), r"^(.*)$")


def of_compose(path: Path) -> Iterator[str]:
    for service in yaml.safe_load(path.read_text())["services"].values():
        yield from service.get("environment", {})


def of_workflows(path: Path) -> Iterator[str]:
    yield from _below("env", yaml.safe_load(path.read_text()))
    for block in re.findall(r"\{\n(.*?)\} >> *\"\$GITHUB_ENV\"", path.read_text(), re.DOTALL):
        yield from assignments(block, r"^(.*)$")
    yield from assignments(path.read_text(), r"^(.*)>> *\"\$GITHUB_ENV\"$")


def of_manifests(path: Path) -> Iterator[str]:
    for document in yaml.safe_load_all(path.read_text()):
        for generator in document.get("configMapGenerator", []):
            for literal in generator.get("literals", []):
                yield literal.partition("=")[0]
        yield from _below("env", document)


def _below(key: str, value: Any) -> Iterator[str]:
    """The names set by every mapping, or list of `name:`, called `key`, however deep."""
    if isinstance(value, list):
        for one in value:
            yield from _below(key, one)
    elif isinstance(value, dict):
        for name, one in value.items():
            if name == key and isinstance(one, dict):
                yield from one
            elif name == key and isinstance(one, list):
                yield from (each["name"] for each in one)
            else:
                yield from _below(key, one)


SOURCES: dict[str, tuple[Callable[[Path], Iterator[str]], list[Path]]] = {
    "Compose": (of_compose, [BASE_DIR / "compose.yaml"]),
    "images": (of_docker, [BASE_DIR / "Dockerfile", *DEPLOY.rglob("Dockerfile")]),
    "identity": (of_shell, [DEPLOY / "identity.env"]),
    "manifests": (of_manifests, sorted((DEPLOY / "kubernetes").rglob("*.yaml"))),
    "units": (of_units, sorted(DEPLOY.glob("systemd/**/*.service"))),
    "workflows": (of_workflows, sorted((BASE_DIR / ".github/workflows").glob("*.yml"))),
}


def variables(kind: str) -> set[str]:
    read, paths = SOURCES[kind]
    return {name for path in paths for name in read(path)}


@pytest.mark.parametrize("kind", SOURCES)
def test_a_variable_that_is_set_is_read_by_somebody(kind: str) -> None:
    found = variables(kind)
    assert found or kind == "units", f"no variable was found in {kind}"
    files = {f"{name}_FILE" for name in SECRET}
    assert found - KNOWN - files - FOREIGN.keys() == set()


def test_a_name_of_others_is_set_somewhere_and_is_not_ours() -> None:
    given = {name for kind in SOURCES for name in variables(kind)}
    assert FOREIGN.keys() - given == set()
    assert FOREIGN.keys() & KNOWN == set()
