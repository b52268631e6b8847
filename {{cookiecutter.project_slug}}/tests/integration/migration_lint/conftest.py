"""A tiny app with two tables in use, an empty database, and the migrations of a case."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from core.db.connection import django_database
from core.environment.databases import database_url
from scripts.migration_lint.baseline import judged
from scripts.migration_lint.lint import Refusal, lint
from scripts.servers import Stack

CASES = Path(__file__).parent / "cases"
APP = "tests.integration.migration_lint.warehouse"
DATABASE = "migration_lint"

type Lint = Callable[..., list[Refusal]]


@pytest.fixture(scope="module")
def made(servers: Stack) -> Iterator[str]:
    assert servers.postgres
    servers.postgres.create_database(DATABASE)
    yield servers.postgres.url("migrator", database=DATABASE)
    servers.postgres.psql(f"DROP DATABASE {DATABASE} WITH (FORCE)", database="postgres")


@pytest.fixture
def empty(made: str, django_db_blocker: DjangoDbBlocker) -> Iterator[BaseDatabaseWrapper]:
    """A connection to a database without tables, as migrator."""
    ours = django_database(database_url(made), application_name="lint")
    connections.databases[DATABASE] = {**connections.databases["default"], **ours}
    with django_db_blocker.unblock():
        connection = connections[DATABASE]
        yield connection
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS warehouse_item, warehouse_shelf CASCADE")
        connection.close()
    del connections[DATABASE]
    del connections.databases[DATABASE]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the app's migrations: the first is there, the rest is the test's."""
    folder = tmp_path / f"of_{tmp_path.parent.name}_{tmp_path.name}".replace("-", "_")
    folder.mkdir()
    (folder / "__init__.py").touch()
    shutil.copy(CASES / "0001_initial.py", folder)
    monkeypatch.syspath_prepend(tmp_path)
    with override_settings(INSTALLED_APPS=[APP], MIGRATION_MODULES={"warehouse": folder.name}):
        yield folder


@pytest.fixture
def refused(package: Path, empty: BaseDatabaseWrapper) -> Lint:
    """What the lint refuses of the migrations in `package`, less those that are accepted."""

    def run(**accepted: str) -> list[Refusal]:
        loader = MigrationLoader(None)
        return lint(loader, empty, judged(loader, ["warehouse"], accepted))

    return run
