from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.shop.models import OrderLine, Product, ProductImage, Review
from apps.shop.ratings import mend_ratings
from apps.users.models import User
from tests.factories import UserFactory
from tests.integration.shop.factories import (
    OrderFactory,
    ProductFactory,
    ReviewFactory,
    StockFactory,
)

pytestmark = pytest.mark.django_db


def queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        response = client.get(path)
    assert response.status_code == 200
    return len(captured)


def one_product(_: User) -> None:
    files = {"image": "products/a.webp", "thumbnail": "products/b.webp"}
    ProductImage.objects.create(
        product=ProductFactory.create(), state="ready", width=1, height=1, **files
    )


def one_reviewed_product(_: User) -> None:
    ReviewFactory.create()


def one_stock(_: User) -> None:
    StockFactory.create()


def one_review(_: User) -> None:
    """Of the same product, whatever its id."""
    ReviewFactory.create(product=Product.objects.first() or ProductFactory.create())


def one_order(customer: User) -> None:
    OrderFactory.create(customer=customer, lines=2)


def one_order_of_somebody(_: User) -> None:
    OrderFactory.create()


@pytest.mark.parametrize(
    ("path", "create", "budget"),
    [
        # Public: not even the user is loaded. Products and their pictures.
        ("/api/v1/products/?page_size=100", one_product, 2),
        # The count and the average of each stand in a row that the same query joins.
        ("/api/v1/products/?page_size=100", one_reviewed_product, 2),
        # The product, which must be for sale, and its reviews; the user is not loaded.
        ("/api/v1/products/{id}/reviews/?page_size=100", one_review, 2),
        # User, orders, lines, products: the session is in the cache.
        ("/api/v1/orders/?page_size=100", one_order, 4),
        ("/admin/shop/order/", one_order_of_somebody, None),
        ("/admin/shop/product/", one_product, None),
        ("/admin/shop/stock/", one_stock, None),
        ("/admin/shop/stockmovement/", one_stock, None),
        ("/admin/shop/review/", one_review, None),
    ],
)
def test_a_list_of_50_rows_costs_the_queries_of_1(
    client: Client, path: str, create: Callable[[User], None], budget: int | None
) -> None:
    user = UserFactory.create(is_staff=True, is_superuser=True)
    client.force_login(user)
    create(user)
    if product := Product.objects.first():
        path = path.replace("{id}", str(product.pk))
    client.get(path)  # warms the session and the content types
    for_one = queries(client, path)
    for _ in range(49):
        create(user)
    assert queries(client, path) == for_one
    assert budget is None or for_one <= budget


def test_a_forgotten_select_related_costs_one_query_more_and_not_one_for_each_row() -> None:
    OrderFactory.create(lines=20)
    with CaptureQueriesContext(connection) as captured:
        assert len({line.product.name for line in OrderLine.objects.all()}) == 20
    assert len(captured) == 2


def test_twenty_thousand_reviews_cost_the_queries_of_one_and_nothing_counts_them(
    client: Client,
) -> None:
    product = ReviewFactory.create(rating=5).product
    paths = ["/api/v1/products/", f"/api/v1/products/{product.pk}/"]
    paths.append(f"{paths[1]}reviews/")

    def read() -> list[list[str]]:
        shapes = []
        for path in paths:
            with CaptureQueriesContext(connection) as captured:
                assert client.get(path).status_code == 200
            shapes.append([query["sql"] for query in captured])
        return shapes

    for_one = read()
    customers = User.objects.bulk_create(
        User(email=f"customer{number}@example.org", password="!") for number in range(19_999)
    )
    Review.objects.bulk_create(
        Review(product=product, customer=customer, rating=4) for customer in customers
    )
    assert mend_ratings() == (1, 1)
    for_all = read()
    assert for_all == for_one
    assert [len(queries) for queries in for_all] == [2, 2, 2]
    assert not [sql for queries in for_all for sql in queries if "COUNT(" in sql]
    found = client.get(paths[1]).json()
    assert (found["review_count"], found["average_rating"]) == (20_000, "4.00")
