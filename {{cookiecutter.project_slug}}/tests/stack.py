"""The servers and the environment of a test run: chosen on import, started on first use.

Importing this (the first conftest does) gives the process an environment that owes nothing to the
shell it was started from: every variable of config/env.py is removed, those that a test needs are
set. Settings may be read afterwards, not before.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from dataclasses import fields
from pathlib import Path

import pytest

from config.env import Environment
from scripts.servers import Stack

BASE_DIR = Path(__file__).resolve().parent.parent
SETTINGS = "config.settings.test"
# Whose migrations make the schema: this tree's, or those of the next release (`make last-release`).
SCHEMA = Path(os.environ.get("NEXT_RELEASE", BASE_DIR))
IN_CI = os.environ.get("CI", "").lower() == "true"

DIRECTORY = Path(tempfile.mkdtemp(prefix="service-tests-"))
STACK = Stack(DIRECTORY, throw_away=True, pooler=True)


def isolate() -> None:
    """Replace the service's variables in this process. Raises `UsageError` when it is too late."""
    if "django.conf" in sys.modules and sys.modules["django.conf"].settings.configured:
        shutil.rmtree(DIRECTORY)
        raise pytest.UsageError(
            "Django's settings were read before tests/conftest.py chose the test servers: "
            "unset DJANGO_SETTINGS_MODULE and drop --ds."
        )
    for field in fields(Environment):
        os.environ.pop(field.name, None)
        os.environ.pop(field.name + "_FILE", None)
    os.environ.update(
        STACK.variables,
        DJANGO_SETTINGS_MODULE=SETTINGS,
        SECRET_KEY=secrets.token_urlsafe(48),
    )


def program(name: str) -> str:
    """A program of the environment that runs the tests."""
    return str(Path(sys.executable).parent / name)


def clean_environment(**variables: str) -> dict[str, str]:
    """What a process of the service needs besides its own variables: where programs are."""
    kept = ("HOME", "LANG", "TMPDIR", "PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE")
    measured = ("COVERAGE_PROCESS_CONFIG",)  # set by `coverage run`
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
        "PYTHONPATH": str(BASE_DIR / "tests" / "every_process"),
        **{name: os.environ[name] for name in (*kept, *measured) if name in os.environ},
        **variables,
    }


def migrate(database: str) -> None:
    """Make the schema of `database` as a release does: by scripts/start.sh, as migrator, directly.

    Rows may be deleted in bulk afterwards: Django's TransactionTestCase empties tables by TRUNCATE,
    which app is refused everywhere else.
    """
    postgres = STACK.postgres
    assert postgres
    postgres.psql(
        "ALTER DEFAULT PRIVILEGES FOR ROLE migrator IN SCHEMA public "
        "GRANT TRUNCATE ON TABLES TO app",
        database=database,
    )
    done = start_migrate(database, "--run-syncdb", tree=SCHEMA)
    if done.returncode:
        pytest.exit(f"The test database cannot be migrated:\n{done.stdout}{done.stderr}", 3)


def start_migrate(
    database: str, *arguments: str, tree: Path = BASE_DIR
) -> subprocess.CompletedProcess[str]:
    """`scripts/start.sh migrate` with `arguments`, on `database`; never raises."""
    assert STACK.postgres
    direct = STACK.postgres.url("migrator", database=database)
    env = clean_environment(
        **STACK.variables | {"DATABASE_DIRECT_URL": direct},
        DJANGO_SETTINGS_MODULE=SETTINGS,
        SECRET_KEY=os.environ["SECRET_KEY"],
    )
    if tree != BASE_DIR:
        env["PATH"] = f"{Path(os.environ['NEXT_PYTHON']).parent}:{os.defpath}"
        env["PYTHONPATH"] = str(tree / "tests" / "every_process")
    return subprocess.run(
        [tree / "scripts" / "start.sh", "migrate", *arguments],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
