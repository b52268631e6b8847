"""Attempts are counted in PostgreSQL before they are made."""

from __future__ import annotations

from collections import Counter as Tally
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.utils import timezone

from core.lockout import guard
from core.lockout.guard import LockedOut
from core.lockout.limits import Key, Limit
from core.lockout.models import Counter
from core.lockout.tasks import clear_expired_counters
from scripts.servers import PgBouncer, Valkey
from tests.parallel import at_once

pytestmark = pytest.mark.django_db
FEW = Limit("few", attempts=3, seconds=60)
MANY = Limit("many", attempts=10, seconds=600)


def spend(*keys: Key, times: int = 1) -> None:
    for _ in range(times):
        guard.count(*keys)


def let_pass(seconds: int) -> None:
    Counter.objects.update(expires_at=F("expires_at") - timedelta(seconds=seconds))


def test_what_is_over_the_limit_is_refused_and_says_when_to_come_back() -> None:
    spend(FEW.of("ada"), times=3)
    with pytest.raises(LockedOut) as refused:
        guard.count(FEW.of("ada"))
    assert 55 < refused.value.wait <= 60
    spend(FEW.of("grace"), times=3)


def test_a_lock_lasts_from_the_last_attempt_and_ends_by_itself() -> None:
    spend(FEW.of("ada"))
    let_pass(50)
    spend(FEW.of("ada"), times=2)
    let_pass(50)  # the first period is over, the lock is not
    with pytest.raises(LockedOut):
        guard.count(FEW.of("ada"))
    let_pass(11)
    spend(FEW.of("ada"), times=3)


def test_what_is_refused_neither_prolongs_a_lock_nor_counts_elsewhere() -> None:
    spend(FEW.of("ada"), times=3)
    for _ in range(20):
        with pytest.raises(LockedOut):
            guard.count(MANY.of("network"), FEW.of("ada"))
    let_pass(61)
    spend(MANY.of("network"), FEW.of("ada"))
    assert Counter.objects.get(key=MANY.of("network").text).count == 1


def test_an_attempt_given_back_was_none() -> None:
    for _ in range(10):
        guard.count(FEW.of("ada"), MANY.of("network")).give_back()
    assert set(Counter.objects.values_list("count", flat=True)) == {0}


def test_further_parts_are_forgotten_with_the_first() -> None:
    spend(FEW.of("ada", "one"), FEW.of("ada", "two"), FEW.of("grace", "one"))
    assert guard.forget_all(FEW.of("ada")) == 2
    assert Counter.objects.get().key == FEW.of("grace", "one").text


def test_the_table_holds_nobodys_address() -> None:
    spend(FEW.of("ada@example.org", "192.0.2.1"))
    key = Counter.objects.get().key
    assert "@" not in key
    assert "192.0.2.1" not in key


def test_what_is_remembered_ends_too() -> None:
    guard.remember(FEW.of("ada"))
    guard.remember(FEW.of("ada"))
    assert guard.remembers(FEW.of("ada"))
    let_pass(61)
    assert not guard.remembers(FEW.of("ada"))


@pytest.mark.django_db(transaction=True)
def test_what_is_remembered_by_many_at_once_is_refused_to_none() -> None:
    once = Limit("once", attempts=1, seconds=60).of("ada")
    assert at_once(20, lambda _: guard.remember(once)) == [None] * 20
    assert Counter.objects.get().count == 1


def test_expired_counters_are_deleted_in_batches_and_others_stay() -> None:
    past, future = (timezone.now() + timedelta(hours=hours) for hours in (-1, 1))
    Counter.objects.bulk_create(
        Counter(key=str(n), count=1, expires_at=past if n < 25 else future) for n in range(30)
    )
    assert clear_expired_counters(batch=10) == 25
    assert Counter.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_of_fifty_at_once_no_more_than_the_limit_are_made() -> None:
    tried = at_once(50, lambda n: guard.count(MANY.of("ada", "192.0.2.1"), FEW.of(str(n))))
    assert Tally(type(each) for each in tried) == {guard.Attempt: 10, LockedOut: 40}


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_could_uncount_it_is_refused() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        guard.count(FEW.of("ada"))


@pytest.mark.django_db(transaction=True)
def test_without_the_database_nothing_is_let_through(pgbouncer: PgBouncer) -> None:
    pgbouncer.kill()
    connection.close()
    with pytest.raises(DatabaseError):
        guard.count(FEW.of("ada"))
    connection.close()
    pgbouncer.start()


def test_without_the_cache_it_counts_all_the_same(cache_server: Valkey) -> None:
    cache_server.kill()
    spend(FEW.of("ada"), times=3)
    with pytest.raises(LockedOut):
        guard.count(FEW.of("ada"))
