"""A database of a test's own, and `start.sh migrate` of the lint's tiny app on it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from scripts.servers import Postgres, Stack
from tests.integration.migration_lint.conftest import CASES
from tests.stack import BASE_DIR, STACK, clean_environment

DATABASE = "migrate_tests"
HEAD = '''"""Expand: a test's."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = {atomic}
    dependencies = [("warehouse", "{before}")]
    operations = [{operations}]
'''
COLUMN = 'migrations.AddField("item", "colour", models.TextField(db_default="grey"))'
INDEX = 'AddIndexConcurrently("item", models.Index(fields=["weight"], name="item_weight"))'
# A writer of the same table is what CREATE INDEX CONCURRENTLY waits for.
INSERT = "INSERT INTO warehouse_item (code, note, received_at) VALUES ('a', '', now())"
VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('item_weight')"


class Site:
    """The database, its migrations, and runs of migrate on it."""

    def __init__(self, postgres: Postgres, folder: Path, database: str = DATABASE) -> None:
        self.postgres = postgres
        self.database = database
        self.folder = folder
        folder.mkdir()
        (folder / "__init__.py").touch()
        (folder / "0001_initial.py").write_text((CASES / "0001_initial.py").read_text())

    def write(self, name: str, operations: str, *, atomic: bool = True) -> None:
        before = sorted(path.stem for path in self.folder.glob("0*.py"))[-1]
        text = HEAD.format(before=before, operations=operations, atomic=atomic)
        (self.folder / f"{name}.py").write_text(text)

    def start(
        self, *arguments: str, app: str = "warehouse", **variables: str
    ) -> subprocess.Popen[str]:
        url = self.postgres.url("migrator", database=self.database)
        env = clean_environment(
            **STACK.variables
            | {"DATABASE_DIRECT_URL": url, "SECRET_KEY": "s" * 60, "MIGRATIONS": self.folder.name}
            | {"DJANGO_SETTINGS_MODULE": "tests.integration.migration_lint.settings"}
            | variables
        )
        env["PYTHONPATH"] = f"{self.folder.parent}:{env['PYTHONPATH']}"
        return subprocess.Popen(
            [BASE_DIR / "scripts" / "start.sh", "migrate", *filter(None, (app, *arguments))],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def migrate(self, *arguments: str) -> tuple[int, str]:
        """Its exit code, and what it wrote to stderr."""
        return ended(self.start(*arguments))

    def session(self, role: str, name: str = "reader") -> psycopg.Connection[tuple[object, ...]]:
        """One that may stay idle in a transaction for longer than the role may."""
        new = psycopg.connect(
            self.postgres.url(role, database=self.database), application_name=name, autocommit=True
        )
        new.execute("SET idle_in_transaction_session_timeout = 0")
        new.autocommit = False
        return new

    def ask(self, sql: str) -> str:
        return self.postgres.psql(sql, database=self.database)


def ended(running: subprocess.Popen[str]) -> tuple[int, str]:
    """Its exit code, and what it wrote to stderr."""
    _, told = running.communicate(timeout=120)
    return running.returncode, told


def line_with(running: subprocess.Popen[str], wanted: str) -> str:
    """Of its stderr. Raises AssertionError with all of it."""
    assert running.stderr
    seen = []
    for line in running.stderr:
        seen.append(line)
        if wanted in line:
            return line
    raise AssertionError(f"no {wanted!r} in {''.join(seen)}")


@pytest.fixture(scope="session")
def with_the_first(servers: Stack, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database to be copied, in which the tiny app's first migration has run."""
    assert servers.postgres
    name = f"{DATABASE}_template"
    servers.postgres.create_database(name)
    site = Site(servers.postgres, tmp_path_factory.mktemp("template") / "first_of_migrate", name)
    assert site.migrate() == (0, "")
    return name


@pytest.fixture
def empty(postgres: Postgres, tmp_path: Path) -> Iterator[Site]:
    postgres.create_database(DATABASE)
    yield Site(postgres, tmp_path / f"of_{tmp_path.parent.name}_{tmp_path.name}".replace("-", "_"))
    postgres.psql(f"DROP DATABASE {DATABASE} WITH (FORCE)", database="postgres")


@pytest.fixture
def site(with_the_first: str, postgres: Postgres, empty: Site) -> Site:
    """With the tiny app's first migration."""
    postgres.psql(f"DROP DATABASE {DATABASE}", database="postgres")
    postgres.psql(f"CREATE DATABASE {DATABASE} TEMPLATE {with_the_first}", database="postgres")
    postgres.create_database(DATABASE)
    return empty
