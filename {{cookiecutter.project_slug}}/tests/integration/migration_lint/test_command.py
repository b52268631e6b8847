"""`make lint-migrations` ends in a sentence, whatever it meets."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.servers import Stack
from tests.integration.migration_lint.conftest import CASES, DATABASE
from tests.stack import BASE_DIR, clean_environment

LINT = [sys.executable, "-m", "scripts.migration_lint"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    migrations = tmp_path / "case"
    migrations.mkdir()
    (migrations / "__init__.py").touch()
    shutil.copy(CASES / "0001_initial.py", migrations)
    return migrations


def run(command: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env=clean_environment(
            DJANGO_SETTINGS_MODULE="tests.integration.migration_lint.settings",
            MIGRATIONS=folder.name,
            PYTHONPATH=str(folder.parent),
            SECRET_KEY="s" * 60,
            **variables,
        ),
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )


def beside(servers: Stack, database: str = "no_such_database") -> dict[str, str]:
    """Of the running servers, for what needs no empty database."""
    assert servers.postgres
    url = servers.postgres.url("migrator", database=database)
    return {**servers.variables, "DATABASE_DIRECT_URL": url}


def test_a_dangerous_migration_fails_make_with_its_place_its_recipe_and_its_page(
    folder: Path,
) -> None:
    shutil.copy(CASES / "drop_a_column" / "0002_dangerous.py", folder)
    venv = Path(sys.executable).parent.parent
    done = run(["make", "--no-print-directory", "lint-migrations", f"VENV={venv}"], folder)
    assert done.returncode != 0
    assert done.stdout == (
        f"{folder}/0002_dangerous.py:10: RemoveField(item, note): ban-drop-column\n"
        '    ALTER TABLE "warehouse_item" DROP COLUMN "note";\n'
        "    The code of the last release still selects the column: its every query fails.\n"
        "    Instead: take the field out of the state in this release, drop the column in "
        "the next.\n"
        "    See docs/operations/migrations.md#drop-a-column\n\n"
    )
    assert done.stderr.splitlines()[0] == "1 refused."
    assert "Traceback" not in done.stderr


def test_a_syntax_error_is_one_line_that_names_its_place(folder: Path, servers: Stack) -> None:
    path = folder / "0002_broken.py"
    path.write_text("class Migration(:\n", encoding="utf-8")
    done = run(LINT, folder, **beside(servers))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{path}:1: invalid syntax\n"


def test_two_last_migrations_are_one_line_with_the_command_that_joins_them(
    folder: Path, servers: Stack
) -> None:
    text = (CASES / "drop_a_column" / "0002_dangerous.py").read_text()
    (folder / "0002_one.py").write_text(text)
    (folder / "0002_other.py").write_text(text)
    done = run(LINT, folder, **beside(servers))
    assert done.returncode == 1
    assert "(warehouse: 0002_one, 0002_other): run  manage.py makemigrations --merge" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_database_that_does_not_exist_is_one_line(folder: Path, servers: Stack) -> None:
    done = run(LINT, folder, **beside(servers))
    assert done.returncode == 1
    assert 'database "no_such_database" does not exist' in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_database_with_tables_is_left_alone(folder: Path, servers: Stack) -> None:
    assert servers.postgres
    servers.postgres.create_database(DATABASE)
    try:
        servers.postgres.psql("CREATE TABLE kept (id int)", role="migrator", database=DATABASE)
        done = run(LINT, folder, **beside(servers, DATABASE))
        tables = servers.postgres.psql(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", database=DATABASE
        )
    finally:
        servers.postgres.psql(f"DROP DATABASE {DATABASE} WITH (FORCE)", database="postgres")
    assert (done.returncode, tables) == (1, "1")
    assert done.stderr.startswith("The database has tables (kept and others)")
    assert len(done.stderr.splitlines()) == 1
