"""Rows of sessions that ended go, those of others stay."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.sessions.tasks import clear_expired_sessions
from scripts.servers import Postgres

pytestmark = pytest.mark.django_db


def make(number: int, *, ends_in: timedelta) -> None:
    end = timezone.now() + ends_in
    Session.objects.bulk_create(
        Session(session_key=f"{ends_in}-{each}", session_data="", expire_date=end)
        for each in range(number)
    )


def test_expired_ones_are_deleted_and_the_others_stay() -> None:
    make(7, ends_in=timedelta(seconds=-1))
    make(2, ends_in=timedelta(hours=1))
    assert clear_expired_sessions() == 7
    assert Session.objects.count() == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "clean_up", [clear_expired_sessions, partial(call_command, "clearsessions")]
)
def test_the_table_shrinks(clean_up: Callable[[], object], postgres: Postgres) -> None:
    def size() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_table_size('django_session')")
            return int(cursor.fetchone()[0])

    # Pages that other tests left: a live row in the last of them would keep the file long.
    postgres.psql("TRUNCATE django_session", database="service")
    make(20, ends_in=timedelta(hours=1))
    make(5_000, ends_in=timedelta(seconds=-1))
    before = size()
    clean_up()
    # What autovacuum does in time.
    postgres.psql("VACUUM django_session", database="service")
    assert Session.objects.count() == 20
    assert size() < before / 4


def test_it_runs_every_night() -> None:
    entries = settings.CELERY_BEAT_SCHEDULE.values()
    [entry] = [entry for entry in entries if entry["task"] == clear_expired_sessions.name]
    now = timezone.now()
    assert entry["schedule"].remaining_estimate(now) <= timedelta(days=1)


def test_no_statement_deletes_more_than_one_batch() -> None:
    make(25, ends_in=timedelta(days=-1))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert clear_expired_sessions(batch=10) == 25
    deletes = [query["sql"] for query in queries if query["sql"].startswith("DELETE")]
    assert len(deletes) == 3


def test_without_any_it_does_nothing() -> None:
    assert clear_expired_sessions() == 0
