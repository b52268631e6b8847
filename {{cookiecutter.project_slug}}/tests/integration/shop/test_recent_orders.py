"""The shop's panel on the page of development."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from apps.shop.panels import NEWEST, recent_orders
from apps.shop.services import pay_order, place_order
from tests.factories import UserFactory
from tests.integration.shop.factories import ProductFactory


@pytest.mark.django_db
def test_the_newest_orders_are_shown_whoever_placed_them() -> None:
    product = ProductFactory.create(name="Fountain pen", price_cents=3_450)
    customers = [UserFactory.create() for _ in range(NEWEST + 1)]
    orders = [place_order(customer=each, quantities={product.pk: 2}) for each in customers]
    pay_order(orders[-1].pk, customer=customers[-1])

    rows = recent_orders().rows

    assert [row[0].text for row in rows] == [f"No. {each.pk}" for each in orders[:0:-1]]
    assert rows[0][0].note == "2 x Fountain pen"
    assert rows[0][1].text == "69.00 EUR"
    assert [row[2].state.word for row in rows if row[2].state] == ["paid", *["pending"] * 4]


@pytest.mark.django_db
def test_five_orders_cost_as_many_queries_as_one(django_assert_num_queries: Any) -> None:
    products = ProductFactory.create_batch(3)
    for _ in range(5):
        place_order(customer=UserFactory.create(), quantities={each.pk: 1 for each in products})
    with django_assert_num_queries(3):
        recent_orders()


@pytest.mark.django_db(transaction=True)
def test_the_page_of_development_has_them(client: Client, settings: Any) -> None:
    settings.DEBUG = True
    page = client.get("/").content.decode()
    assert "Recent orders</h2>" in page
    assert "Nobody has ordered yet" in page
