"""Statements, transactions and savepoints when the time is up."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from core import deadline
from core.db.base import BoundedConnection
from scripts.servers import Postgres

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_budget() -> Iterator[None]:
    yield
    deadline.end()


def insert(key: str) -> None:
    Session.objects.create(session_key=key, session_data="", expire_date=timezone.now())


def kept() -> set[str]:
    return set(Session.objects.values_list("session_key", flat=True))


def sleep(seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [seconds])


def test_a_statement_ends_with_the_budget() -> None:
    sleep(0)
    started = time.monotonic()
    with deadline.budget(1.5), pytest.raises(deadline.Exhausted):
        sleep(4)
    assert 1.4 < time.monotonic() - started < 2.5
    sleep(0)  # on a connection of its own: the first one was closed


def test_the_server_stops_working_on_a_statement_that_was_given_up(postgres: Postgres) -> None:
    busy = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(4%'"
    with deadline.budget(1), pytest.raises(deadline.Exhausted):
        sleep(4)
    given_up = time.monotonic()
    while int(postgres.psql(busy + " AND state = 'active' AND pid <> pg_backend_pid()")):
        assert time.monotonic() - given_up < 2.5  # an interval of 1 s, and noise


def test_a_statement_is_not_begun_after_the_deadline() -> None:
    sleep(0)
    before = connection.connection
    with deadline.budget(0), pytest.raises(deadline.Exhausted):
        sleep(0)
    sleep(0)
    assert connection.connection is before


def test_a_connection_is_not_opened_after_the_deadline() -> None:
    connection.close()
    with deadline.budget(0), pytest.raises(deadline.Exhausted):
        connection.ensure_connection()
    assert connection.connection is None


def test_a_transaction_that_runs_out_of_time_is_rolled_back() -> None:
    def run() -> None:
        with transaction.atomic():
            insert("first")
            deadline.begin(0)
            insert("second")

    with pytest.raises(deadline.Exhausted):
        run()
    deadline.end()
    assert not connection.in_atomic_block
    assert kept() == set()


def test_a_transaction_whose_statement_is_given_up_is_rolled_back() -> None:
    def run() -> None:
        with transaction.atomic():
            insert("first")
            with deadline.budget(0.1), transaction.atomic():
                sleep(4)

    with pytest.raises(deadline.Exhausted):
        run()
    assert not connection.in_atomic_block
    assert kept() == set()


def test_a_transaction_that_goes_on_after_a_statement_was_given_up_commits_nothing() -> None:
    def run() -> None:
        with transaction.atomic():
            insert("first")
            with suppress(deadline.Exhausted), deadline.budget(0.1):
                sleep(4)
            insert("second")

    with pytest.raises(OperationalError):
        run()
    assert kept() == set()


def test_a_savepoint_is_rolled_back_where_the_outer_transaction_goes_on() -> None:
    """Otherwise the outer commit would keep half of what the inner block did."""
    with transaction.atomic():
        insert("outer")
        with suppress(deadline.Exhausted), deadline.budget(10), transaction.atomic():
            insert("inner")
            deadline.begin(0)
            insert("never")
    deadline.end()
    assert kept() == {"outer"}


def test_what_was_done_in_time_may_still_be_committed() -> None:
    with transaction.atomic():
        insert("done")
        deadline.begin(0)
    deadline.end()
    assert kept() == {"done"}


def test_the_price_is_a_few_microseconds() -> None:
    """The median of a query with a budget against one without, in turns."""
    with connection.cursor() as cursor:

        def seconds() -> float:
            started = time.perf_counter()
            for _ in range(20):
                cursor.execute("SELECT 1")
            return (time.perf_counter() - started) / 20

        with_it, without = [], []
        for _ in range(100):
            without.append(seconds())
            with deadline.budget(25):
                with_it.append(seconds())
    assert isinstance(connection.connection, BoundedConnection)
    assert statistics.median(with_it) < 1.25 * statistics.median(without)
