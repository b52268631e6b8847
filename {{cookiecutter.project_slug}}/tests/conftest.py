"""Real servers for every test that asks for them; none for a unit test that does not.

Folders ask a question each: unit, integration (real servers), contract (the OpenAPI document),
server (the real command with production settings), performance (query budgets), repository (files
agree), drills (faults under load, on a stack of their own). Tests of the second to the fifth kind
find PostgreSQL, PgBouncer, cache and broker running.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

import tests.every_process.sitecustomize  # noqa: F401 - no test reaches beyond loopback
from scripts.manifests import kubectl
from scripts.servers import (
    PgBouncer,
    Postgres,
    RabbitMQ,
    RadosGateway,
    Stack,
    Valkey,
    find_rabbitmq,
    nginx,
    pgbackrest,
    rabbitmq,
    radosgw,
)
from scripts.servers.pgbouncer import INSTALL
from tests import stack
from tests.image import engine
from tests.object_store import make_bucket

stack.isolate()

_NEED_SERVERS = {"integration", "contract", "server", "performance", "image"}
# What a machine may lack: the reason of a skipped test, and the remedy.
_MISSING = {
    "PgBouncer is not installed": INSTALL,
    "nginx is not installed": nginx.INSTALL,
    "radosgw is not unpacked": radosgw.INSTALL,
    "RabbitMQ is not installed": rabbitmq.INSTALL,
    "age is not installed": "apt-get install age",
    "pgBackRest is not installed": pgbackrest.INSTALL,
    **{f"{name} is not installed": engine.INSTALL for name in engine.PROGRAMS},
    "buildah needs root": "sudo make test",
    "no kubectl of 1.29 or later is installed": kubectl.INSTALL,
}


def pytest_configure(config: pytest.Config) -> None:
    from django.conf import settings

    assert settings.DATABASES  # read now, so that pytest-django sees a configured Django
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        # Each process of pytest-xdist inherits what is set here, and chooses servers of its own.
        del os.environ["DJANGO_SETTINGS_MODULE"]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """A stream that a test did not read to its end leaves its request's budget to the thread."""
    from core import deadline

    deadline.end()


@pytest.fixture(scope="session")
def servers() -> Iterator[Stack]:
    """All four, started once. With CI=true a missing PgBouncer is an error."""
    if stack.IN_CI and not stack.STACK.pgbouncer:
        pytest.exit(f"PgBouncer is not installed, and CI=true skips nothing: {INSTALL}", 3)
    with stack.STACK as started:
        yield started


@pytest.fixture(scope="session")
def django_db_setup(servers: Stack) -> None:
    """The schema, made as in production. Tests connect as app, through PgBouncer."""
    stack.migrate("service")


@pytest.fixture(autouse=True)
def _real_servers(request: pytest.FixtureRequest) -> Iterator[None]:
    """Servers for the folders that need them, with an empty cache and empty queues."""
    if request.path.relative_to(Path(__file__).parent).parts[0] not in _NEED_SERVERS:
        yield
        return
    from django.db import close_old_connections

    servers = request.getfixturevalue("servers")
    servers.cache.flush()
    servers.broker.flush()
    yield
    # As after a request: a connection that the test broke is tried before its next use. Otherwise
    # tables are emptied over a dead one, and every later test of this process fails with it.
    close_old_connections()


@pytest.fixture
def postgres(servers: Stack) -> Iterator[Postgres]:
    """PostgreSQL itself, to kill or freeze; it runs again after the test."""
    assert servers.postgres
    yield servers.postgres
    _serve_again(servers)


@pytest.fixture
def pgbouncer(servers: Stack) -> Iterator[PgBouncer]:
    """The pooler, to kill or freeze; it runs again after the test. Skipped where it is missing."""
    if not servers.pgbouncer:
        pytest.skip("PgBouncer is not installed")
    yield servers.pgbouncer
    _serve_again(servers)


def _serve_again(servers: Stack) -> None:
    """Both, whichever was away: a pooler that could not log in refuses everybody for a second."""
    import psycopg

    assert servers.postgres
    servers.postgres.thaw()
    servers.postgres.start()
    if (pooler := servers.pgbouncer) is None:
        return
    pooler.thaw()
    pooler.start()

    def serves() -> bool:
        try:
            with psycopg.connect(pooler.url(), connect_timeout=3, prepare_threshold=None) as new:
                return new.execute("SELECT 1").fetchone() == (1,)
        except psycopg.OperationalError:
            return False

    pooler.process.wait_until(serves, 10)


@pytest.fixture
def cache_server(servers: Stack) -> Iterator[Valkey]:
    """The cache's Valkey, to kill or freeze; it runs again after the test, and is used again."""
    from django.core.cache import caches

    assert servers.cache
    yield servers.cache
    servers.cache.thaw()
    servers.cache.start()
    caches["default"].breaker.close()


@pytest.fixture
def broker_server(servers: Stack) -> Iterator[Valkey]:
    """The broker's Valkey, to kill or freeze; it runs again after the test."""
    assert servers.broker
    yield servers.broker
    servers.broker.thaw()
    servers.broker.start()


@pytest.fixture(scope="session")
def _gateway() -> Iterator[RadosGateway | None]:
    """Started for the first test that asks for it. With CI=true it is unpacked where missing."""
    if stack.IN_CI:
        radosgw.install()
    if not radosgw.find_radosgw():
        yield None
        return
    with RadosGateway(stack.DIRECTORY / "radosgw") as gateway:
        make_bucket(gateway)
        yield gateway


@pytest.fixture
def object_store(_gateway: RadosGateway | None) -> Iterator[RadosGateway]:
    """The S3 server, to kill or freeze; it runs again after the test. Skipped where missing."""
    if not _gateway:
        pytest.skip("radosgw is not unpacked")
    yield _gateway
    _gateway.thaw()
    _gateway.start()


@pytest.fixture(scope="session")
def _rabbitmq() -> Iterator[RabbitMQ | None]:
    """Started for the first test that asks for it, in some 10 s."""
    if not find_rabbitmq():
        yield None
        return
    with RabbitMQ(stack.DIRECTORY / "rabbitmq") as started:
        yield started


@pytest.fixture
def rabbitmq_server(_rabbitmq: RabbitMQ | None) -> Iterator[RabbitMQ]:
    """The other broker, to kill or freeze; it runs again after the test. Skipped where missing."""
    if not _rabbitmq:
        pytest.skip("RabbitMQ is not installed")
    yield _rabbitmq
    _rabbitmq.thaw()
    _rabbitmq.start()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if stack.IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"Skipped, and CI=true skips nothing: {report.longrepr}"
    return report


def pytest_unconfigure() -> None:
    shutil.rmtree(stack.DIRECTORY, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    for reason, remedy in _MISSING.items():
        names = [report.nodeid for report in skipped if reason in str(report.longrepr)]
        if names:
            terminalreporter.write_line(f"Not run, {reason} ({remedy}): {' '.join(names)}")
