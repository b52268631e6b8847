"""The image, built once from a copy of this tree, and containers of it beside the real servers.

    def test_it_answers(start_container: StartContainer) -> None:
        with start_container("web") as web:
            web.get("/livez")

`start_container(role, *arguments, env=None, options=(), ready=…)` is `start_role` for the image.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest

from config.env import Environment
from scripts.servers import Stack, free_port
from tests import stack
from tests.image.engine import Container, Engine, missing
from tests.server.conftest import READY, production_environment
from tests.server.roles import START_TIMEOUT
from tests.stack import BASE_DIR

StartContainer = Callable[..., AbstractContextManager[Container]]
DATABASE = "image_tests"
# Beside the code when the image is built; it must not be found in the image.
PLANTED = "planted-secret-2f6c1d"
BUILD = {"SOURCE": "git-of-ours", "VERSION": "1.2.3", "COMMIT": "0123abc", "BUILD": "build-7"}
_UNUSED = shutil.ignore_patterns(
    ".venv", ".git", ".data", "__pycache__", ".*_cache", "docs", "build"
)


@dataclass(frozen=True)
class Image:
    """A name in the engine's store, the base it was built on, and the tree it was built from."""

    engine: Engine
    name: str
    base: str
    tree: Path

    @property
    def config(self) -> dict[str, Any]:
        found: dict[str, Any] = self.engine.inspect(self.name)["Config"]
        return found


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """buildah and podman. Skipped where one is missing; with CI=true that is an error."""
    if reason := missing():
        pytest.skip(reason)
    made = Engine(stack.DIRECTORY / "containers")
    yield made
    made.remove()


@pytest.fixture(scope="session")
def image(engine: Engine) -> Image:
    """Built by scripts/image.sh from this tree, among secrets and caches that must stay outside."""
    tree = stack.DIRECTORY / "tree"
    shutil.copytree(BASE_DIR, tree, ignore=_UNUSED)
    for name in (".env", "config/.env.production", "dump.sql", ".git/config", "id_rsa"):
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).write_text(PLANTED)
    dockerfile = (tree / "Dockerfile").read_text()
    base = re.findall(r"^ARG BASE_IMAGE=(\S+)$", dockerfile, re.MULTILINE)[0]
    engine.provide(f"docker.io/library/{base}")
    name = "localhost/service:test"
    index = {name: os.environ[name] for name in ("PIP_INDEX_URL",) if name in os.environ}
    given = {"ENGINE": "buildah", **BUILD, **index}
    engine.run(tree / "scripts" / "image.sh", name, "--pull-never", env=given)
    return Image(engine, name, f"docker.io/library/{base}", tree)


@pytest.fixture(scope="session")
def facts(image: Image) -> dict[str, Any]:
    """What tests/image/facts.py finds in the image, as root."""
    script = Path(__file__).with_name("facts.py")
    printed = image.engine.run(
        *("podman", "run", "--rm", "--network", "none", "--user", "0", "--no-healthcheck"),
        *("--volume", f"{script}:/mnt/facts.py:ro", "--entrypoint", "python"),
        *(image.name, "-I", "/mnt/facts.py", PLANTED[:-6], PLANTED[-6:]),
    )
    found: dict[str, Any] = json.loads(printed)
    return found


@pytest.fixture(scope="session")
def image_env(servers: Stack, image: Image) -> dict[str, str]:
    """An environment of production whose database the image's own `migrate` has made."""
    assert servers.postgres
    servers.postgres.create_database(DATABASE)
    urls = {
        "DATABASE_URL": (servers.pgbouncer or servers.postgres).url("app", database=DATABASE),
        "DATABASE_DIRECT_URL": servers.postgres.url("migrator", database=DATABASE),
    }
    given = production_environment(servers, urls)
    known = {field.name for field in fields(Environment)} - {"RELEASE"}  # the image knows it
    variables = {name: value for name, value in given.items() if name in known}
    migrate = Container(image.engine, image.name, "migrate", ["migrate"], variables)
    migrate.start()
    assert migrate.wait_for_exit(60) == 0, migrate.output
    return variables


def with_free_ports(env: Mapping[str, str]) -> dict[str, str]:
    """Containers share the network of this machine."""
    return {**env, **{name: str(free_port()) for name in ("PORT", "ASGI_PORT", "METRICS_PORT")}}


@pytest.fixture
def start_container(image: Image, image_env: dict[str, str]) -> Iterator[StartContainer]:
    """See this module's docstring. What a test leaves running is ended after it."""
    started: list[Container] = []

    @contextmanager
    def start(
        role: str,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
        ready: Callable[[Container], bool] | None = None,
    ) -> Iterator[Container]:
        merged = {**with_free_ports(image_env), **(env or {})}
        merged = {name: value for name, value in merged.items() if value != ""}
        container = Container(image.engine, image.name, role, [role, *arguments], merged, options)
        started.append(container)
        container.start()
        is_ready = ready or READY[role]
        container.wait_until(lambda: is_ready(container), START_TIMEOUT)  # type: ignore[arg-type]
        try:
            yield container
        finally:
            container.stop()

    yield start
    for container in started:
        container.stop(grace=0)
