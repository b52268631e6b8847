"""When an entry of the schedule is due."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from celery import Celery
from celery.exceptions import ImproperlyConfigured
from celery.schedules import BaseSchedule, crontab, schedule

from config.celery import app
from core.beat.scheduler import LeaseScheduler, last_due, next_after
from tests.testapp.tasks import say


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


NIGHTLY = crontab(hour="3", minute="40", app=app)
EVERY_10_S = schedule(timedelta(seconds=10), app=app)


def test_a_crontab_names_the_minute_whatever_the_second_of_the_last_run() -> None:
    assert next_after(NIGHTLY, at("2026-11-20 03:39:59")) == at("2026-11-20 03:40")
    assert next_after(NIGHTLY, at("2026-11-20 03:40:00")) == at("2026-11-21 03:40")
    assert next_after(NIGHTLY, at("2026-11-20 12:00:07")) == at("2026-11-21 03:40")
    assert next_after(crontab(app=app), at("2026-12-31 23:59:01")) == at("2027-01-01 00:00")


def test_the_same_tick_is_named_by_every_beat_at_any_moment_after_it() -> None:
    moments = [at("2026-11-20 03:40:00"), at("2026-11-20 03:40:31"), at("2026-11-20 19:00")]
    last = at("2026-11-19 03:40")
    assert {last_due(NIGHTLY, last, now) for now in moments} == {at("2026-11-20 03:40")}
    assert last_due(NIGHTLY, last, at("2026-11-20 03:39:59")) is None


def test_of_several_missed_ticks_the_last_is_due() -> None:
    assert last_due(NIGHTLY, at("2026-11-01 03:40"), at("2026-11-20 02:00")) == at(
        "2026-11-19 03:40"
    )
    assert last_due(EVERY_10_S, at("2026-11-20 00:00:03"), at("2026-11-20 01:00")) == at(
        "2026-11-20 00:59:53"
    )


def test_an_interval_does_not_drift_when_it_is_looked_at_late() -> None:
    due = last_due(EVERY_10_S, at("2026-11-20 00:00:03"), at("2026-11-20 00:00:19"))
    assert due == at("2026-11-20 00:00:13")
    assert next_after(EVERY_10_S, due) == at("2026-11-20 00:00:23")


def test_a_kind_of_schedule_that_has_no_exact_times_is_refused(
    loaded_app: Celery, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = {"task": say.name, "schedule": BaseSchedule(app=app)}
    monkeypatch.setitem(app.conf.beat_schedule, "evening", entry)
    with pytest.raises(ImproperlyConfigured, match="evening: only crontab and intervals"):
        LeaseScheduler(app=loaded_app)


def test_an_entry_without_a_task_is_refused(
    loaded_app: Celery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.conf.beat_schedule, "wrong", {"task": "no.such", "schedule": 1.0})
    with pytest.raises(ImproperlyConfigured, match="wrong: there is no task"):
        LeaseScheduler(app=loaded_app)


def test_the_schedule_of_the_service_is_accepted(loaded_app: Celery) -> None:
    assert "clear-expired-sessions" in LeaseScheduler(app=loaded_app).schedule


def test_a_minutely_entry_that_was_away_for_a_year_is_found_without_counting_the_year() -> None:
    minutely = crontab(app=app)
    now = at("2026-11-20 12:00:30")
    started = time.monotonic()
    assert last_due(minutely, now - timedelta(days=365), now) == at("2026-11-20 12:00")
    assert time.monotonic() - started < 2


def test_a_yearly_entry_that_was_away_for_a_month_is_found() -> None:
    yearly = crontab(minute="0", hour="0", day_of_month="1", month_of_year="11", app=app)
    due = last_due(yearly, at("2025-11-01 00:00"), at("2026-11-20 12:00"))
    assert due == at("2026-11-01 00:00")
