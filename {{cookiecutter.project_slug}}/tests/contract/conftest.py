"""The real web process with production settings, and each caller's fuzzing of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from scripts.servers import RadosGateway, Stack
from tests.contract import fuzzing
from tests.contract.fuzzing import CALLERS, EXAMPLES, SEED, Operation, Run
from tests.server.conftest import production_environment
from tests.server.roles import START_TIMEOUT, Role
from tests.stack import migrate

DATABASE = "contract_tests"
_runs: dict[str, Run] = {}
_documented: dict[Operation, Any] = {}

RunAs = Callable[[str], Run]


@pytest.fixture(scope="session")
def service(
    servers: Stack, _gateway: RadosGateway | None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Role]:
    """`scripts/start.sh web`, on a database of its own.

    API_RATES are off, as one client may not call so often; the guards of accounts are on. Uploads
    go to the S3 server, and to a folder where there is none.
    """
    assert servers.postgres
    servers.postgres.create_database(DATABASE)
    migrate(DATABASE)
    environment = production_environment(
        servers,
        {
            "DATABASE_URL": (servers.pgbouncer or servers.postgres).url("app", database=DATABASE),
            "DATABASE_DIRECT_URL": servers.postgres.url("migrator", database=DATABASE),
        },
    )
    if _gateway:
        application = "tests.testapp.unthrottled:application"
        environment |= {
            "S3_ENDPOINT_URL": _gateway.url,
            "S3_MEDIA_DOMAIN": "media.service.test",
            "S3_ACCESS_KEY_ID": _gateway.access_key,
            "S3_SECRET_ACCESS_KEY": _gateway.secret_key,
        }
    else:
        application = "tests.testapp.without_bucket:application"
        environment["MEDIA_FOLDER"] = str(tmp_path_factory.mktemp("media"))
    role = Role("web", (application,), environment)
    role.start()
    try:
        role.wait_until(role.answers, START_TIMEOUT)
        yield role
    finally:
        role.stop()


@pytest.fixture(scope="session")
def run_as(service: Role, tmp_path_factory: pytest.TempPathFactory) -> RunAs:
    """The run of a caller, made when it is first asked for."""

    def run(caller: str) -> Run:
        if caller not in _runs:
            _runs[caller] = fuzzing.fuzz(service, caller, tmp_path_factory.mktemp(caller))
        return _runs[caller]

    return run


@pytest.fixture(scope="session")
def all_runs(run_as: RunAs) -> list[Run]:
    return [run_as(caller) for caller in CALLERS]


@pytest.fixture(scope="session")
def documented(service: Role) -> dict[Operation, Any]:
    """Every operation of the running service's document, by method and path."""
    headers = {"Accept": "application/vnd.oai.openapi+json"}
    paths = json.loads(service.get("/api/schema/", headers=headers)[1])["paths"]
    _documented.update(
        {(method.upper(), path): paths[path][method] for path in paths for method in paths[path]}
    )
    return _documented


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _runs:
        return
    terminalreporter.section("operation coverage")
    if len(_runs) == len(CALLERS) and _documented:
        for line in fuzzing.table(list(_runs.values()), _documented):
            terminalreporter.write_line(line)
    else:
        terminalreporter.write_line(f"Not said: it takes the runs of {', '.join(CALLERS)}.")
    again = f"make fuzz SEED={SEED} EXAMPLES={EXAMPLES}"
    terminalreporter.write_line(f"The same cases again: {again}")
