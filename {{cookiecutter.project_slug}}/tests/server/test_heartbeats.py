"""The exec probes of worker, beat and relay, while their broker comes and goes."""

from __future__ import annotations

import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from core import heartbeat
from core.heartbeat import worker
from scripts.servers import Valkey
from tests.server.conftest import StartRole
from tests.stack import BASE_DIR, clean_environment, program

QUICK = ("high,default,low", "--include", "tests.testapp.quick_heartbeat")
YOUNG = 4.0  # seconds; eight of its marks
STALLED = worker.STALLED / 2  # of the module


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The roles' temporary folder, and where this process looks for their files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return {"TMPDIR": str(tmp_path)}


def passes(folder: dict[str, str], role: str, max_age: float = YOUNG) -> bool:
    """The probe, run as Kubernetes runs it."""
    done = subprocess.run(
        [program("python"), "-m", "core.heartbeat", role, "--max-age", str(max_age)],
        env=clean_environment(**folder),
        cwd=BASE_DIR,
        check=False,
    )
    return done.returncode == 0


def greatest_age(role: str, seconds: float) -> float:
    """Of the heartbeat, while we look for so long."""
    ages = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        age = heartbeat.age(role)
        assert age is not None
        ages.append(age)
        time.sleep(0.1)
    return max(ages)


def test_a_worker_is_not_alive_when_its_main_loop_stalls(
    start_role: StartRole, folder: dict[str, str]
) -> None:
    with start_role("worker", *QUICK, env=folder) as process:
        process.wait_until(lambda: passes(folder, "worker"), 20)
        process.signal(signal.SIGUSR2)
        process.wait_until(lambda: not passes(folder, "worker"), STALLED + YOUNG + 10)
        process.process.kill()


def test_a_worker_is_alive_while_its_broker_is_frozen_and_while_it_is_dead(
    start_role: StartRole, folder: dict[str, str], broker_server: Valkey
) -> None:
    with start_role("worker", *QUICK, env=folder) as process:
        process.wait_until(lambda: passes(folder, "worker"), 20)
        broker_server.freeze()
        assert greatest_age("worker", STALLED + YOUNG + 2) < YOUNG
        broker_server.thaw()
        broker_server.kill()
        assert greatest_age("worker", STALLED + YOUNG + 2) < YOUNG
        assert passes(folder, "worker")


def test_a_worker_is_alive_that_starts_without_its_broker(
    start_role: StartRole, folder: dict[str, str], broker_server: Valkey
) -> None:
    broker_server.kill()
    with start_role("worker", *QUICK, env=folder, ready=lambda role: True) as process:
        process.wait_until(lambda: passes(folder, "worker"), 20)


def test_a_worker_is_alive_while_every_process_of_its_pool_is_busy(
    start_role: StartRole, folder: dict[str, str]
) -> None:
    *arguments, modules = QUICK
    busy = (f"{modules},tests.testapp.tasks", "--concurrency", "1")
    with start_role("worker", *arguments, *busy, env=folder) as process:
        process.wait_until(lambda: passes(folder, "worker"), 20)
        subprocess.run(
            [
                *(program("celery"), "-A", "config.celery", "--quiet", "call"),
                *("tests.testapp.tasks.sleep", "--args", '[60, "busy"]'),
            ],
            env=process.env,
            cwd=BASE_DIR,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        process.wait_for_line("asleep", 30)
        assert greatest_age("worker", STALLED + YOUNG + 2) < YOUNG
        process.process.kill()


@pytest.mark.parametrize("role", ["beat", "relay"])
def test_beat_and_relay_mark_each_of_their_turns(
    role: str, start_role: StartRole, folder: dict[str, str]
) -> None:
    with start_role(role, env=folder) as process:
        process.wait_until(lambda: passes(folder, role, 60), 20)
        first = heartbeat.path(role).stat().st_mtime
        process.wait_until(lambda: heartbeat.path(role).stat().st_mtime > first, 30)
