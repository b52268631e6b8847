from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from apps.shop.models import Order, OrderLine
from apps.users.models import User
from tests.factories import UserFactory
from tests.integration.shop.factories import OrderFactory, OrderLineFactory, ProductFactory

pytestmark = pytest.mark.django_db
URL = "/api/v1/orders/"
JSON = "application/json"


@pytest.fixture
def customer() -> User:
    return UserFactory.create()


@pytest.fixture
def shop(client: Client, customer: User) -> Client:
    """A client whose user is the customer."""
    client.force_login(customer)
    return client


def place(client: Client, *lines: tuple[int, int], **more: Any) -> Any:
    sent = {"lines": [{"product": product, "quantity": n} for product, n in lines], **more}
    return client.post(URL, sent, JSON)


def test_everybody_sees_what_is_for_sale_newest_first(client: Client) -> None:
    first, second = ProductFactory.create(name="Pen"), ProductFactory.create(name="Ink")
    gone = ProductFactory.create(is_available=False)
    products = client.get("/api/v1/products/").json()["results"]
    assert [product["id"] for product in products] == [second.pk, first.pk]
    assert (products[1]["name"], products[1]["price_cents"], products[1]["currency"]) == (
        "Pen",
        1_000,
        "EUR",
    )
    assert client.get(f"/api/v1/products/{first.pk}/").json() == products[1]
    assert client.get(f"/api/v1/products/{gone.pk}/").status_code == 404


def test_an_order_takes_its_prices_from_the_server(shop: Client, customer: User) -> None:
    pen, ink = ProductFactory.create(price_cents=250), ProductFactory.create(price_cents=1)
    response = place(shop, (pen.pk, 2), (ink.pk, 1_000), total_cents=0, status="paid", id=1)
    assert response.status_code == 201
    order = response.json()
    assert (order["total_cents"], order["currency"], order["status"]) == (1_500, "EUR", "pending")
    assert sorted(line["amount_cents"] for line in order["lines"]) == [500, 1_000]
    assert Order.objects.get(pk=order["id"]).customer == customer
    assert shop.get(response.headers["Location"]).json() == order


def test_a_price_that_changes_leaves_an_order_as_it_was(shop: Client) -> None:
    pen = ProductFactory.create(price_cents=250)
    order = place(shop, (pen.pk, 1)).json()
    pen.price_cents = 999
    pen.save()
    assert shop.get(f"{URL}{order['id']}/").json() == order


def test_a_product_that_is_not_for_sale_is_named_and_nothing_is_written(shop: Client) -> None:
    pen, gone = ProductFactory.create(), ProductFactory.create(is_available=False)
    response = place(shop, (pen.pk, 1), (gone.pk, 1), (2**63, 1))
    assert response.status_code == 400
    errors = [(error["pointer"], error["code"]) for error in response.json()["errors"]]
    assert errors == [
        ("#/lines/1/product", "not_for_sale"),
        ("#/lines/2/product", "not_for_sale"),
    ]
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("lines_of", "pointer"),
    [
        (lambda _: [], "#/lines"),
        (lambda pen: [(pen, 0)], "#/lines/0/quantity"),
        (lambda pen: [(pen, -1)], "#/lines/0/quantity"),
        (lambda pen: [(pen, 1_001)], "#/lines/0/quantity"),
        (lambda pen: [(pen, 1.5)], "#/lines/0/quantity"),
        (lambda _: [(0, 1)], "#/lines/0/product"),
        (lambda _: [("x", 1)], "#/lines/0/product"),
        (lambda pen: [(pen, 1), (10**4000, 1)], "#/lines/1/product"),
        (lambda pen: [(pen, 1), (pen, 2)], "#/lines"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(
    shop: Client, lines_of: Callable[[int], Any], pointer: str
) -> None:
    response = place(shop, *lines_of(ProductFactory.create().pk))
    assert response.status_code == 400
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert not Order.objects.exists()


def test_an_order_has_fifty_lines_at_most(shop: Client) -> None:
    products = ProductFactory.create_batch(51)
    assert place(shop, *((product.pk, 1) for product in products)).status_code == 400
    assert place(shop, *((product.pk, 1) for product in products[:50])).status_code == 201


def test_a_visitor_orders_nothing_and_sees_no_order(client: Client) -> None:
    order = OrderFactory.create()
    for response in (
        place(client, (1, 1)),
        client.get(URL),
        client.get(f"{URL}{order.pk}/"),
        client.post(f"{URL}{order.pk}/payment/"),
    ):
        assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")


def test_the_orders_of_others_do_not_exist(shop: Client, customer: User) -> None:
    mine, other = OrderFactory.create(customer=customer), OrderFactory.create()
    assert [order["id"] for order in shop.get(URL).json()["results"]] == [mine.pk]
    assert shop.get(f"{URL}{other.pk}/").status_code == 404
    assert shop.post(f"{URL}{other.pk}/payment/").status_code == 404
    other.refresh_from_db()
    assert other.status == "pending"


class TestTheDatabaseRefuses:
    """What the code must never write, whoever writes it."""

    @pytest.mark.parametrize(
        "change",
        [
            {"total_cents": -1},
            {"status": "paid"},
            {"paid_at": timezone.now()},
            {"status": "lost"},
        ],
    )
    def test_an_order_that_contradicts_itself(self, change: dict[str, Any]) -> None:
        order = OrderFactory.create()
        with pytest.raises(IntegrityError), transaction.atomic():
            Order.objects.filter(pk=order.pk).update(**change)

    @pytest.mark.parametrize("change", [{"quantity": 0}, {"unit_price_cents": -1}])
    def test_a_line_that_gives_money_away(self, change: dict[str, Any]) -> None:
        line = OrderLineFactory.create()
        with pytest.raises(IntegrityError), transaction.atomic():
            OrderLine.objects.filter(pk=line.pk).update(**change)

    def test_a_product_in_two_lines_of_an_order(self) -> None:
        line = OrderLineFactory.create()
        with pytest.raises(IntegrityError), transaction.atomic():
            OrderLineFactory.create(order=line.order, product=line.product)


@pytest.mark.parametrize(
    "path", ["product/", "product/add/", "order/", "order/%d/change/", "order/?q=x&status=paid"]
)
def test_the_admin_shows_the_shop(client: Client, path: str) -> None:
    client.force_login(UserFactory.create(is_staff=True, is_superuser=True))
    order = OrderFactory.create()
    path = path.replace("%d", str(order.pk))
    assert client.get(f"/admin/shop/{path}").status_code == 200


def test_the_admin_changes_no_order(client: Client) -> None:
    client.force_login(UserFactory.create(is_staff=True, is_superuser=True))
    order = OrderFactory.create()
    for action in ("change", "delete"):
        response = client.post(f"/admin/shop/order/{order.pk}/{action}/", {"status": "paid"})
        assert response.status_code == 403
    assert client.get("/admin/shop/order/add/").status_code == 403
