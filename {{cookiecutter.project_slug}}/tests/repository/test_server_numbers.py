"""The numbers of the server processes agree with one another, read from the files that set them."""

from __future__ import annotations

import ast
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config.settings.components.deadline import (
    DEADLINE_SECONDS,
    STREAM_IDLE_SECONDS,
    STREAM_SECONDS,
)
from core.db import base
from core.db.connection import CONNECT_TIMEOUT
from core.health import database, services, state
from core.heartbeat import worker
from core.probes import monitor
from core.server import hooks, stalls, streaming
from tests.repository.test_database_numbers import pooler, role

PROJECT = Path(__file__).resolve().parents[2]

# Seconds, of the orchestrator and the proxies in front.
PROXY_READ = 35
PRE_STOP, SLACK, TERMINATION_GRACE = 10, 5, 50
LIVENESS = 60  # period times threshold


@pytest.fixture(scope="module")
def gunicorn() -> dict[str, Any]:
    """config/gunicorn.py, as gunicorn reads it, with this process's logging left alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.logs.configuration.apply", lambda config: None)
        return runpy.run_path(str(PROJECT / "config" / "gunicorn.py"))


@pytest.fixture(scope="module")
def uvicorn() -> dict[str, Any]:
    """The arguments of `uvicorn.run` in config/asgi.py that are constants."""
    tree = ast.parse((PROJECT / "config" / "asgi.py").read_text())
    call = next(
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "uvicorn.run"
    )
    return {
        argument.arg: argument.value.value
        for argument in call.keywords
        if argument.arg and isinstance(argument.value, ast.Constant)
    }


def test_no_queue_hides_inside_a_worker(gunicorn: dict[str, Any]) -> None:
    assert gunicorn["worker_connections"] == gunicorn["threads"]
    assert gunicorn["keepalive"] == 0


def test_500_clients_at_once_find_room_in_the_kernel(gunicorn: dict[str, Any]) -> None:
    assert gunicorn["backlog"] >= 500


def test_a_request_ends_before_its_worker_and_its_worker_before_the_proxy_gives_up(
    gunicorn: dict[str, Any],
) -> None:
    database_waits = pooler("query_wait_timeout") + pooler("query_timeout")
    assert role("app", "statement_timeout") < pooler("query_timeout")
    assert database_waits < DEADLINE_SECONDS < gunicorn["timeout"] < PROXY_READ
    # The last thing before the deadline may be a new connection, whose first statement is refused.
    latest = DEADLINE_SECONDS + CONNECT_TIMEOUT + base.GRACE
    assert latest < gunicorn["timeout"]


def test_a_stalled_request_has_had_its_504_when_its_worker_is_replaced(
    gunicorn: dict[str, Any],
) -> None:
    assert PROXY_READ < gunicorn["timeout"] + stalls.LATER < LIVENESS


def test_a_stream_is_ended_by_the_service_and_not_by_its_proxy() -> None:
    assert DEADLINE_SECONDS < STREAM_IDLE_SECONDS < PROXY_READ
    assert STREAM_IDLE_SECONDS < STREAM_SECONDS


@pytest.mark.parametrize("server", ["gunicorn", "uvicorn"])
def test_a_stopping_server_outlasts_its_requests_and_fits_the_termination_grace(
    server: str, request: pytest.FixtureRequest
) -> None:
    settings = request.getfixturevalue(server)
    grace = settings.get("graceful_timeout") or settings["timeout_graceful_shutdown"]
    assert grace >= DEADLINE_SECONDS
    assert PRE_STOP + grace + SLACK <= TERMINATION_GRACE


def test_the_proxy_closes_an_idle_connection_before_uvicorn_does(uvicorn: dict[str, Any]) -> None:
    assert uvicorn["timeout_keep_alive"] > 60


def test_workers_leave_one_by_one(gunicorn: dict[str, Any]) -> None:
    assert gunicorn["max_requests_jitter"] >= gunicorn["max_requests"] / 10


def test_gunicorn_replaces_a_silent_worker_before_liveness_counts_it(
    gunicorn: dict[str, Any],
) -> None:
    assert hooks._LATER > monitor.GRACE
    assert gunicorn["timeout"] < LIVENESS


def test_readiness_judges_before_liveness() -> None:
    assert state.UNREACHABLE_AFTER < LIVENESS
    assert streaming.BLOCKED_AFTER < LIVENESS


def test_a_database_that_returns_is_noticed_within_5_s() -> None:
    # It returned just after a question was refused, or while one was waiting in vain.
    assert max(database.INTERVAL + database.JITTER, database.DEADLINE) < 5
    # Several questions may be lost before the primary counts as gone.
    assert state.UNREACHABLE_AFTER > 2 * (database.INTERVAL + database.DEADLINE)
    assert database.TAKEOVER > database.DEADLINE >= pooler("query_wait_timeout")


def test_a_heartbeat_report_fits_a_probe() -> None:
    assert services.LIMIT < 3


def test_a_worker_may_miss_marks_before_its_probe_fails() -> None:
    assert worker.INTERVAL * 4 < 60
    assert worker.STALLED < 60


def test_web_concurrency_decides_the_workers() -> None:
    read = "import runpy; print(runpy.run_path('config/gunicorn.py')['workers'])"
    done = subprocess.run(
        [sys.executable, "-c", read],
        cwd=PROJECT,
        env={**os.environ, "WEB_CONCURRENCY": "5"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[-1] == "5"


def test_every_role_of_the_image_has_a_command() -> None:
    script = (PROJECT / "scripts" / "start.sh").read_text()
    assert re.findall(r"^(\w+)\)$", script, re.MULTILINE) == [
        "web",
        "asgi",
        "worker",
        "beat",
        "relay",
        "migrate",
    ]


def test_an_unknown_role_is_refused_with_one_sentence() -> None:
    for arguments in ([], ["wbe"]):
        done = subprocess.run(
            ["sh", PROJECT / "scripts" / "start.sh", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 64
        assert done.stderr.startswith("start.sh: unknown role")
        assert done.stderr.count("\n") == 1


def test_a_migration_without_the_direct_url_is_refused_with_one_sentence() -> None:
    done = subprocess.run(
        ["sh", PROJECT / "scripts" / "start.sh", "migrate"],
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 78
    assert "DATABASE_DIRECT_URL" in done.stderr
