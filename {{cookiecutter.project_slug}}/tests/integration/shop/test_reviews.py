"""Reviews: one for each customer and product, counted as they are written."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.shop.models import Product, ProductRating, Review
from apps.shop.ratings import delete_review
from tests.factories import UserFactory
from tests.integration.shop.factories import ProductFactory, ReviewFactory

pytestmark = pytest.mark.django_db
JSON = "application/json"


def url(product: Product) -> str:
    return f"/api/v1/products/{product.pk}/reviews/"


def rating_in_the_api(client: Client, product: Product) -> tuple[int, str | None]:
    found = client.get(f"/api/v1/products/{product.pk}/").json()
    return found["review_count"], found["average_rating"]


def test_a_customer_reviews_a_product_and_everybody_reads_it(client: Client) -> None:
    product, author = ProductFactory.create(), UserFactory.create(name="Ada Lovelace")
    client.force_login(author)
    response = client.post(url(product), {"rating": 5, "text": "Blots <never>."}, JSON)
    assert response.status_code == 201
    client.logout()
    page = client.get(url(product))
    assert page.json()["results"] == [response.json()]
    assert set(response.json()) == {"id", "rating", "text", "created_at"}
    assert "Ada" not in page.content.decode()
    assert Review.objects.get().customer == author
    assert rating_in_the_api(client, product) == (1, "5.00")


def test_the_newest_come_first_and_pages_go_by_keyset(client: Client) -> None:
    product = ProductFactory.create()
    written = [ReviewFactory.create(product=product).pk for _ in range(5)]
    ReviewFactory.create()  # of another product
    read: list[int] = []
    page: str | None = url(product) + "?page_size=2"
    while page:
        answer = client.get(page).json()
        read += [review["id"] for review in answer["results"]]
        page = answer["next"]
    assert read == written[::-1]


def test_a_second_review_of_the_same_product_conflicts_and_counts_nothing(client: Client) -> None:
    product = ProductFactory.create()
    client.force_login(UserFactory.create())
    assert client.post(url(product), {"rating": 5}, JSON).status_code == 201
    response = client.post(url(product), {"rating": 1}, JSON)
    assert (response.status_code, response.json()["code"]) == (409, "already_reviewed")
    assert rating_in_the_api(client, product) == (1, "5.00")


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ({}, "#/rating"),
        ({"rating": 0}, "#/rating"),
        ({"rating": 6}, "#/rating"),
        ({"rating": 4.5}, "#/rating"),
        ({"rating": 10**30}, "#/rating"),
        ({"rating": 3, "text": "x" * 2_001}, "#/text"),
        ({"rating": 3, "text": None}, "#/text"),
    ],
)
def test_a_review_that_makes_no_sense_is_refused(
    client: Client, sent: dict[str, Any], pointer: str
) -> None:
    product = ProductFactory.create()
    client.force_login(UserFactory.create())
    response = client.post(url(product), sent, JSON)
    assert response.status_code == 400
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert not Review.objects.exists()


def test_a_visitor_writes_none(client: Client) -> None:
    product = ProductFactory.create()
    response = client.post(url(product), {"rating": 5}, JSON)
    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")


def test_a_product_that_is_not_for_sale_has_none_to_read_or_write(client: Client) -> None:
    gone = ProductFactory.create(is_available=False)
    client.force_login(UserFactory.create())
    assert client.get(url(gone)).status_code == 404
    assert client.post(url(gone), {"rating": 5}, JSON).status_code == 404


def test_a_product_that_nobody_reviewed_has_no_average(client: Client) -> None:
    product = ProductFactory.create()
    assert rating_in_the_api(client, product) == (0, None)
    ReviewFactory.create(product=product)
    delete_review(Review.objects.get().pk)
    assert rating_in_the_api(client, product) == (0, None)


def test_saving_a_product_that_was_read_before_a_review_leaves_the_count(client: Client) -> None:
    product = ProductFactory.create()
    ReviewFactory.create(product=product, rating=2)
    product.save()
    assert rating_in_the_api(client, product) == (1, "2.00")


def test_the_database_computes_the_average_and_the_list_reads_it_with_the_products(
    client: Client,
) -> None:
    product = ProductFactory.create()
    with CaptureQueriesContext(connection) as writing:
        for stars in (5, 4, 4):
            ReviewFactory.create(product=product, rating=stars)
    with CaptureQueriesContext(connection) as reading:
        [found] = client.get("/api/v1/products/").json()["results"]
    assert (found["review_count"], found["average_rating"]) == (3, "4.33")
    query, of_pictures = [each["sql"] for each in reading]
    assert "shop_productimage" in of_pictures
    assert 'LEFT OUTER JOIN "shop_productrating"' in query
    assert 'SELECT "shop_product"."id"' in query
    assert '"shop_productrating"."average"' in query
    assert "COUNT(" not in query
    updates = [each["sql"] for each in writing if each["sql"].startswith("UPDATE")]
    assert updates
    assert all('("shop_productrating"."review_count" + 1)' in sql for sql in updates)
    assert all("average" not in sql for sql in updates)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generation_expression FROM information_schema.columns"
            " WHERE table_name = 'shop_productrating' AND column_name = 'average'"
        )
        [expression] = cursor.fetchone()
    assert "NULLIF(review_count, 0)" in expression
    assert "rating_sum" in expression


@pytest.mark.parametrize("rating", [0, 6])
def test_the_database_refuses_other_numbers_of_stars(rating: int) -> None:
    review = ReviewFactory.create()
    with pytest.raises(IntegrityError, match="shop_review_one_to_five"), transaction.atomic():
        Review.objects.filter(pk=review.pk).update(rating=rating)


class TestTheAdmin:
    @pytest.fixture(autouse=True)
    def _login(self, client: Client) -> None:
        client.force_login(UserFactory.create(is_staff=True, is_superuser=True))

    def test_a_review_that_it_removes_is_counted_no_longer(self, client: Client) -> None:
        product = ProductFactory.create()
        one, two, three = (ReviewFactory.create(product=product, rating=n) for n in (1, 2, 3))
        confirmed = {"post": "yes"}
        client.post(f"/admin/shop/review/{one.pk}/delete/", confirmed)
        assert rating_in_the_api(client, product) == (2, "2.50")
        chosen = {"action": "delete_selected", "_selected_action": [two.pk, three.pk]}
        client.post("/admin/shop/review/", chosen | confirmed)
        assert rating_in_the_api(client, product) == (0, None)
        assert not Review.objects.exists()

    def test_it_shows_reviews_and_changes_none(self, client: Client) -> None:
        review = ReviewFactory.create()
        path = f"/admin/shop/review/{review.pk}/change/"
        assert client.get("/admin/shop/review/").status_code == 200
        assert client.get(path).status_code == 200
        assert client.post(path, {"rating": 1}).status_code == 403


def test_removing_a_review_that_is_gone_changes_nothing() -> None:
    review = ReviewFactory.create()
    delete_review(review.pk)
    delete_review(review.pk)
    assert ProductRating.objects.get(product=review.product).review_count == 0
