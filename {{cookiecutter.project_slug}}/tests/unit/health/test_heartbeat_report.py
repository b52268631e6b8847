"""`/__heartbeat__` reports within its time, whatever a check does."""

from __future__ import annotations

import threading
import time

import pytest

from core.health import services
from core.health.services import Heartbeat


def ok() -> tuple[str, str]:
    return "ok", ""


def test_a_check_that_hangs_is_an_error_and_delays_nobody() -> None:
    release = threading.Event()
    heartbeat = Heartbeat({"stuck": lambda: (str(release.wait(30)), ""), "fine": ok})
    started = time.monotonic()
    is_well, report = heartbeat()
    release.set()

    assert time.monotonic() - started < services.LIMIT + 0.5
    assert not is_well
    assert report["checks"] == {"stuck": "error", "fine": "ok"}
    assert report["details"] == {"stuck": "no answer within 1 s"}


def test_a_check_that_still_hangs_is_not_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "FRESH", 0)
    monkeypatch.setattr(services, "LIMIT", 0.05)
    release = threading.Event()
    started: list[int] = []

    def stuck() -> tuple[str, str]:
        started.append(1)
        release.wait(30)
        return ok()

    heartbeat = Heartbeat({"stuck": stuck})
    assert [heartbeat()[0] for _ in range(5)] == [False] * 5
    assert len(started) == 1
    release.set()
    monkeypatch.setattr(services, "LIMIT", 5)
    assert heartbeat()[0]


def test_an_exception_shows_its_class_and_not_its_text() -> None:
    def leaking() -> tuple[str, str]:
        raise ConnectionError("redis://:hunter2@cache:6379")

    _, report = Heartbeat({"cache": leaking})()

    assert report["details"] == {"cache": "ConnectionError"}


def test_a_warning_does_not_fail_the_heartbeat() -> None:
    is_well, report = Heartbeat({"migrations": lambda: ("warning", "2 behind"), "cache": ok})()

    assert is_well
    assert report["status"] == "warning"


def test_many_callers_cause_one_round_of_checks() -> None:
    asked: list[int] = []

    def check() -> tuple[str, str]:
        asked.append(1)
        return ok()

    heartbeat = Heartbeat({"database": check})
    callers = [threading.Thread(target=heartbeat) for _ in range(20)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()

    assert len(asked) == 1
