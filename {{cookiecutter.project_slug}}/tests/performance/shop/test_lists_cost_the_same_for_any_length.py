from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.shop.models import OrderLine
from apps.users.models import User
from tests.factories import UserFactory
from tests.integration.shop.factories import OrderFactory, ProductFactory

pytestmark = pytest.mark.django_db


def queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        response = client.get(path)
    assert response.status_code == 200
    return len(captured)


def one_product(_: User) -> None:
    ProductFactory.create()


def one_order(customer: User) -> None:
    OrderFactory.create(customer=customer, lines=2)


def one_order_of_somebody(_: User) -> None:
    OrderFactory.create()


@pytest.mark.parametrize(
    ("path", "create", "budget"),
    [
        # Public: not even the user is loaded.
        ("/api/v1/products/?page_size=100", one_product, 1),
        # User, orders, lines, products: the session is in the cache.
        ("/api/v1/orders/?page_size=100", one_order, 4),
        ("/admin/shop/order/", one_order_of_somebody, None),
        ("/admin/shop/product/", one_product, None),
    ],
)
def test_a_list_of_50_rows_costs_the_queries_of_1(
    client: Client, path: str, create: Callable[[User], None], budget: int | None
) -> None:
    user = UserFactory.create(is_staff=True, is_superuser=True)
    client.force_login(user)
    create(user)
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
