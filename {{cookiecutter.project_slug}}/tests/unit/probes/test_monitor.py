"""An instance is judged by its workers and its page."""

from __future__ import annotations

import logging
import re
import time

import pytest

from core.health.state import Page
from core.probes.monitor import GRACE, Monitor, Worker


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


class Instance:
    """One worker on one page."""

    def __init__(self) -> None:
        self.page = Page()
        self.slot = self.page.slot(0)
        self.silence = 0.0
        self.monitor = Monitor(self.page, self.workers, stale_after=40, wedged_after=30)

    def workers(self) -> list[Worker]:
        return [Worker(self.slot, self.silence, self.slot.running)]


def test_an_instance_is_neither_alive_nor_ready_before_its_first_worker(clock: Clock) -> None:
    instance = Instance()

    assert not instance.monitor.is_live()
    assert instance.monitor.unready() == "starting"


def test_a_worker_that_is_away_for_a_moment_is_not_missed(clock: Clock) -> None:
    instance = Instance()
    instance.slot.boot(1)
    instance.page.reached = clock.now
    assert instance.monitor.is_live()
    instance.slot.clear()
    clock.now += GRACE
    assert instance.monitor.is_live()
    assert instance.monitor.unready() is None
    clock.now += 0.1
    assert not instance.monitor.is_live()
    assert instance.monitor.unready() == "no worker works"


def test_a_silent_worker_counts_as_dead_only_after_gunicorn_has_had_its_chance(
    clock: Clock,
) -> None:
    instance = Instance()
    instance.slot.boot(1)
    instance.silence = 40
    assert instance.monitor.is_live()
    clock.now += GRACE + 1
    assert instance.monitor.is_live()
    instance.silence = 40.1
    clock.now += GRACE + 1
    assert not instance.monitor.is_live()


def test_a_wedged_worker_counts_as_dead(clock: Clock) -> None:
    instance = Instance()
    instance.slot.boot(1)
    instance.slot.begin()
    clock.now += 30
    assert instance.monitor.is_live()
    clock.now += 30
    assert not instance.monitor.is_live()
    instance.slot.end()
    assert instance.monitor.is_live()


def test_a_change_of_readiness_is_logged_once(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="core.probes.monitor")
    instance = Instance()
    instance.slot.boot(1)
    instance.monitor.announce()
    instance.page.reached = clock.now
    for _ in range(60):
        clock.now += 0.5
        instance.monitor.announce()
    instance.page.reached = clock.now
    instance.monitor.announce()

    said = [re.sub(r"\d+", "N", record.message) for record in caplog.records]
    assert said == [
        "Ready.",
        "Not ready: the primary database has been out of reach for N s.",
        "Ready.",
    ]


def test_metrics_are_valid_text_format_and_say_what_is_known(clock: Clock) -> None:
    instance = Instance()
    instance.slot.boot(1)
    instance.slot.begin()
    instance.page.reached = clock.now
    clock.now += 1.5

    lines = instance.monitor.metrics().splitlines()
    assert [line for line in lines if not line.startswith("#")] == [
        "service_ready 1",
        "service_workers 1",
        "service_workers_working 1",
        "service_requests_running 1",
        "service_database_answer_age_seconds 1.5",
    ]
    assert len(lines) == 3 * 5
    assert instance.monitor.metrics().endswith("\n")
