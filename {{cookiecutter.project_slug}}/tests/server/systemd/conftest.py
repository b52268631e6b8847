"""A machine with one release on it, for the tests of this folder; started once."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from scripts.servers import HOST, Stack, free_port
from tests.server.conftest import production_environment
from tests.server.systemd.machine import Machine

SECRET = {
    "every": (
        "SECRET_KEY",
        "CACHE_URL",
        "BROKER_URL",
        "S3_ACCESS_KEY_ID",
        "S3_SECRET_ACCESS_KEY",
        "EMAIL_URL",
    ),
    "requests": ("DATABASE_URL",),
    "tasks": ("DATABASE_URL",),
    "migrations": ("DATABASE_URL", "DATABASE_DIRECT_URL"),
}
GIVEN_BY_SYSTEMD = ("PATH", "HOME", "LANG", "TMPDIR", "RELEASE")


def status(machine: Machine, path: str = "/nowhere") -> int:
    """What web answers, as to a proxy: a new connection for each request."""
    connection = HTTPConnection(HOST, int(machine.web_port), timeout=20)
    try:
        connection.request(
            "GET", path, headers={"Host": "service.test", "X-Forwarded-Proto": "https"}
        )
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


@pytest.fixture(scope="module")
def machine(
    servers: Stack, server_database: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    variables = production_environment(servers, server_database)
    variables["ASGI_METRICS_PORT"] = str(free_port())
    secrets = {kind: {name: variables[name] for name in names} for kind, names in SECRET.items()}
    secret = {name for names in SECRET.values() for name in names}
    plain = {
        name: value
        for name, value in variables.items()
        if name not in secret
        and name not in GIVEN_BY_SYSTEMD
        and not name.startswith(("PYTHON", "COVERAGE"))
    }
    folder: Path = tmp_path_factory.mktemp("machine")
    made = Machine(folder, plain, secrets)
    try:
        done = made.run(made.release("first", real_static=True))
        logs = "".join(path.read_text() for path in (folder / "log").iterdir())
        assert done.returncode == 0, done.stdout + done.stderr + logs
        yield made
    finally:
        made.stop()
