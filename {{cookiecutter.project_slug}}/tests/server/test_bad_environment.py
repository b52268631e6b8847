"""A start with a bad environment: one message, status 78, whatever the command."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
SECRET = "hunter2-hunter2-hunter2"

COMMANDS = {
    "manage.py": [sys.executable, "manage.py", "check"],
    "migrate": ["sh", "scripts/start.sh", "migrate"],
    "gunicorn": [BIN / "gunicorn", "-c", "python:config.gunicorn", "config.wsgi:application"],
    "uvicorn": [BIN / "uvicorn", "config.asgi:application", "--port", "0"],
    "web": ["sh", "scripts/start.sh", "web"],
    "asgi": ["sh", "scripts/start.sh", "asgi"],
    "worker": ["sh", "scripts/start.sh", "worker"],
    "beat": ["sh", "scripts/start.sh", "beat"],
    "relay": ["sh", "scripts/start.sh", "relay"],
}
BAD = {
    "DJANGO_SETTINGS_MODULE": "config.settings.production",
    "SECRET_KEY": "short",
    "DATABASE_URL": f"postgresql://app:{SECRET}@db:99999/shop",
    "DATABASE_DIRECT_URL": f"postgresql://migrator:{SECRET}@db:99999/shop",
    "ALLOWED_HOSTS": "*",
}
WANTED = {
    "SERVICE_NAME": "missing",
    "SECRET_KEY": "too short",
    "DATABASE_URL": "port",
    "DATABASE_DIRECT_URL": "port",
    "ALLOWED_HOSTS": "`*`",
    "ADMIN_HOST": "missing",
    "FORWARDED_ALLOW_IPS": "missing",
    "CACHE_URL": "missing",
    "BROKER_URL": "missing",
    "S3_BUCKET": "missing",
    "S3_ENDPOINT_URL": "missing",
    "EMAIL_URL": "missing",
    "DEFAULT_FROM_EMAIL": "missing",
}


def start(command: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        COMMANDS[command],
        cwd=PROJECT,
        env={**variables, "PATH": path, "PYTHONPATH": str(PROJECT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_problem_is_listed_in_one_message_and_the_status_is_78(command: str) -> None:
    elapsed = []
    # The bound is about the service, not about a machine that is busy with other tests.
    for _ in range(3):
        started = time.monotonic()
        ended = start(command, BAD)
        elapsed.append(time.monotonic() - started)

    assert ended.returncode == 78, ended.stderr
    assert min(elapsed) < 2
    assert ended.stdout == ""
    lines = ended.stderr.splitlines()
    assert "production environment is not valid" in lines[0]
    named = {line.split()[0]: line for line in lines[1:-1]}
    assert named.keys() == WANTED.keys()
    assert all(word in named[name] for name, word in WANTED.items())
    assert "docs/reference/environment.md" in lines[-1]
    assert SECRET not in ended.stderr


def test_migrations_without_a_way_past_the_pooler_do_not_start() -> None:
    ended = start("migrate", {**BAD, "DATABASE_DIRECT_URL": ""})

    assert ended.returncode == 78
    assert "DATABASE_DIRECT_URL" in ended.stderr
