"""The nightly comparison: what drifted is mended, and a review in flight is counted once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from apps.shop import ratings
from apps.shop.models import Product, ProductRating, Review
from apps.shop.ratings import mend_ratings, write_review
from apps.shop.tasks import reconcile_ratings
from scripts.servers import Postgres
from tests.factories import UserFactory
from tests.integration.shop.factories import ProductFactory, ReviewFactory
from tests.logged import logged


def sql(statement: str, *arguments: object) -> None:
    """Past the code that counts."""
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments)


def counted(product: Product) -> tuple[int, int]:
    rating = ProductRating.objects.get(product=product)
    return rating.review_count, rating.rating_sum


def written(product: Product) -> tuple[int, int]:
    reviews = product.reviews.all()
    return reviews.count(), reviews.aggregate(stars=Sum("rating"))["stars"] or 0


@pytest.mark.django_db
def test_every_kind_of_drift_is_mended_and_told() -> None:
    right, more, gone, lost, empty = products = ProductFactory.create_batch(5)
    for product in products[:4]:
        ReviewFactory.create(product=product, rating=2)
    sql("UPDATE shop_productrating SET review_count = 99 WHERE product_id = %s", more.pk)
    sql("DELETE FROM shop_review WHERE product_id = %s", gone.pk)
    sql("DELETE FROM shop_productrating WHERE product_id = %s", lost.pk)
    with logged() as lines:
        assert reconcile_ratings() == 3
        assert reconcile_ratings() == 0
    told = [line for line in lines.json if line["message"] == "ratings reconciled"]
    assert [(line["level"], line["products"], line["mended"]) for line in told] == [
        ("warning", 5, 3),
        ("info", 5, 0),
    ]
    assert [counted(product) for product in (right, more, gone, lost)] == [
        (1, 2),
        (1, 2),
        (0, 0),
        (1, 2),
    ]
    assert not ProductRating.objects.filter(product=empty).exists()


@pytest.mark.django_db
def test_it_goes_by_ranges_of_the_key_and_locks_what_drifted_alone() -> None:
    products = [ReviewFactory.create().product for _ in range(7)]
    sql("UPDATE shop_productrating SET rating_sum = 0 WHERE product_id = %s", products[4].pk)
    with CaptureQueriesContext(connection) as captured:
        assert mend_ratings(batch=3) == (7, 1)
    queries = [query["sql"] for query in captured]
    ranges = [each for each in queries if each.endswith("LIMIT 3")]
    assert len(ranges) == 4  # the last one finds nothing
    assert f'"id" > {products[2].pk}' in ranges[1]
    assert not any("OFFSET" in each for each in queries)
    [lock] = [each for each in queries if "FOR UPDATE" in each]
    assert f'"product_id" = {products[4].pk}' in lock


@pytest.mark.django_db
def test_a_product_that_is_deleted_meanwhile_is_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    product = ReviewFactory.create().product
    sql("UPDATE shop_productrating SET review_count = 9")
    monkeypatch.setattr(ratings, "_ranges", lambda _: iter([[product.pk, 2**40]]))
    monkeypatch.setattr(ratings, "_counted", lambda _: {product.pk: (9, 4), 2**40: (1, 1)})
    assert mend_ratings() == (2, 1)


@pytest.mark.django_db(transaction=True)
def test_a_review_that_commits_while_it_waits_for_the_lock_is_counted_once(
    postgres: Postgres,
) -> None:
    product = ReviewFactory.create(rating=3).product
    customer = UserFactory.create()
    sql("UPDATE shop_productrating SET review_count = 99")
    locks = "SELECT count(*) FROM pg_locks WHERE NOT granted"

    def mend() -> tuple[int, int]:
        try:
            return mend_ratings()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            write_review(product=product, customer=customer, rating=5)
            mending = pool.submit(mend)
            while postgres.psql(locks) == "0":
                assert not mending.done(), mending.result()
        assert mending.result(timeout=10) == (1, 1)
    assert counted(product) == written(product) == (2, 8)


@pytest.mark.django_db(transaction=True)
def test_a_review_that_is_half_written_while_it_runs_is_counted_once() -> None:
    product = ReviewFactory.create(rating=3).product
    sql("UPDATE shop_productrating SET review_count = 99")

    def mend() -> tuple[int, int]:
        try:
            return mend_ratings()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        Review.objects.create(product=product, customer=UserFactory.create(), rating=5)
        assert pool.submit(mend).result(timeout=10) == (1, 1)
        assert counted(product) == (1, 3)
        ratings._add(product.pk, 1, 5)
    assert counted(product) == written(product) == (2, 8)


@pytest.mark.django_db(transaction=True)
def test_reviews_that_are_written_and_removed_all_the_while_are_all_counted() -> None:
    product, writers, each = ProductFactory.create(), 4, 25
    customers = iter(UserFactory.create_batch(writers * each))
    lock = threading.Lock()

    def review(_: int) -> None:
        try:
            for number in range(each):
                with lock:
                    customer = next(customers)
                row = write_review(product=product, customer=customer, rating=1 + number % 5)
                if number % 3 == 0:
                    ratings.delete_review(row.pk)
        finally:
            connection.close()

    mended = 0
    with ThreadPoolExecutor(writers) as pool:
        writing = [pool.submit(review, index) for index in range(writers)]
        while not all(one.done() for one in writing):
            sql("UPDATE shop_productrating SET review_count = review_count + 7")
            mended += mend_ratings()[1]
        for one in writing:
            one.result()
    assert mended > 5  # it did run beside them
    assert counted(product) == written(product)
    assert counted(product)[0] == writers * 16


def test_it_is_scheduled_every_night_and_runs_on_low() -> None:
    entry = settings.CELERY_BEAT_SCHEDULE["reconcile-ratings"]
    assert entry["task"] == reconcile_ratings.name
    assert reconcile_ratings.queue_name == "low"
