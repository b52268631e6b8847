"""Every line that a process of the service prints is one JSON object, from start to end.

`Role` reads stdout and stderr together, so nothing hides on stderr either.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.server.conftest import StartRole
from tests.server.roles import START_TIMEOUT, Role
from tests.stack import BASE_DIR, program

ROLES = ["web", "asgi", "worker", "beat", "relay"]


def workers_of(role: Role) -> list[int]:
    boots = [line["message"] for line in role.logs if "Booting worker" in line["message"]]
    return [int(message.rpartition(" ")[2]) for message in boots]


@pytest.mark.parametrize("name", ROLES)
def test_from_start_to_stop_every_line_is_json_and_names_its_process(
    name: str, start_role: StartRole
) -> None:
    with start_role(name) as role:
        role.signal(signal.SIGTERM)
        role.wait_for_exit(45)
    assert role.logs
    for line in role.logs:
        assert (line["service"], line["role"]) == ("service-under-test", name)
        assert line["release"] == "test-release"
        assert {"timestamp", "level", "logger", "message", "pid"} <= line.keys()


def test_a_worker_that_dies_hangs_or_is_replaced_is_told_in_json(start_role: StartRole) -> None:
    timeout = {"GUNICORN_CMD_ARGS": "--timeout 2", "WEB_CONCURRENCY": "1"}
    with start_role("web", env=timeout) as web:
        os.kill(workers_of(web)[-1], signal.SIGKILL)
        web.wait_for_line("SIGKILL")
        web.wait_for_line(lambda _: len(workers_of(web)) == 2)
        # gunicorn's clock for a worker starts with the worker's own first sign of life.
        web.wait_until(web.answers)
        os.kill(workers_of(web)[-1], signal.SIGSTOP)
        web.wait_for_line("WORKER TIMEOUT")
        web.wait_for_line(lambda _: len(workers_of(web)) == 3)
        web.signal(signal.SIGHUP)
        web.wait_for_line("Hang up")
        web.wait_for_line(lambda _: len(workers_of(web)) == 4)
    levels = {line["level"] for line in web.logs if "WORKER TIMEOUT" in line["message"]}
    assert levels == {"critical"}


@pytest.mark.parametrize(
    ("name", "error"), [("web", "ImportError"), *((name, "RuntimeError") for name in ROLES)]
)
def test_a_start_that_fails_is_told_in_json_with_its_traceback(
    name: str, error: str, start_role: StartRole, tmp_path: Path
) -> None:
    package = tmp_path / "rest_framework"
    package.mkdir()
    (package / "__init__.py").write_text(f"raise {error}('broken\\nat start')")
    ended = {"ready": lambda role: role.process.returncode is not None}
    with start_role(name, env={"PYTHONPATH": str(tmp_path)}, **ended) as role:
        assert role.wait_for_exit() != 0
    last = role.logs[-1]
    assert last["level"] == "critical"
    assert last["exception"].startswith("Traceback (most recent call last):\n")
    assert last["exception"].endswith(f"{error}: broken\nat start")


def test_uvicorn_started_by_hand_writes_json_too(
    production_env: dict[str, str], tmp_path: Path
) -> None:
    # With several workers its parent, which never imports the application, writes as it likes.
    environment = {k: v for k, v in production_env.items() if k != "WEB_CONCURRENCY"}
    command = [program("uvicorn"), "config.asgi:application", "--port", environment["ASGI_PORT"]]
    output = tmp_path / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(command, env=environment, cwd=BASE_DIR, stdout=file, stderr=file)
    try:
        role = Role("asgi", (), environment)
        deadline = time.monotonic() + START_TIMEOUT
        while not role.answers() and time.monotonic() < deadline:
            assert process.poll() is None, output.read_text()
        response, _ = role.get("/stream/nothing/")
        assert response.status == 404
    finally:
        process.terminate()
        process.wait(45)
    lines = [json.loads(line) for line in output.read_text().splitlines()]
    assert {"uvicorn.error", "request"} <= {line["logger"] for line in lines}
    assert {line["role"] for line in lines} == {"asgi"}
