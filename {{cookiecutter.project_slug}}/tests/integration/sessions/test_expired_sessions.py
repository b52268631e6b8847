"""Rows of sessions that ended go, those of others stay."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.sessions.tasks import clear_expired_sessions

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
