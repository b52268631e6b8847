from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.shop.models import Review
from apps.shop.ratings import mend_ratings
from apps.users.models import User
from tests.integration.shop.factories import ReviewFactory

pytestmark = pytest.mark.django_db


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
