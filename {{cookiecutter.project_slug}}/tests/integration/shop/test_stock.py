"""Stock: taken by orders and moved by staff, and what the database holds against both."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.shop.models import Location, Order, Product, Stock, StockMovement
from apps.shop.services import place_order
from apps.shop.stock import OutOfStockError, receive_stock, transfer_stock
from apps.users.models import User
from tests.factories import UserFactory
from tests.integration.shop.factories import (
    LocationFactory,
    OrderFactory,
    ProductFactory,
    StockFactory,
)

pytestmark = pytest.mark.django_db
JSON = "application/json"


def quantities(product: Product) -> list[int]:
    """At each location, in the order in which they were set up."""
    return list(product.stock.order_by("pk").values_list("quantity", flat=True))


def ledger_agrees() -> bool:
    sums = Stock.objects.annotate(moved=Sum("movements__change"))
    return all((stock.moved or 0) == stock.quantity for stock in sums)


class TestTransfer:
    def test_pieces_go_from_one_location_to_the_other_and_stand_in_the_ledger(self) -> None:
        here, there = StockFactory.create(quantity=10), LocationFactory.create()
        left = transfer_stock(product=here.product, source=here.location, target=there, quantity=4)
        assert left == {here.location: 6, there: 4}
        assert quantities(here.product) == [6, 4]
        moved = StockMovement.objects.filter(reason="transferred").order_by("pk")
        assert [movement.change for movement in moved] == [-4, 4]
        assert ledger_agrees()

    def test_more_than_there_is_moves_nothing(self) -> None:
        here, there = StockFactory.create(quantity=3), LocationFactory.create()
        with pytest.raises(OutOfStockError) as refused:
            transfer_stock(product=here.product, source=here.location, target=there, quantity=4)
        assert refused.value.product_ids == {here.product.pk}
        assert quantities(here.product) == [3]
        assert ledger_agrees()

    def test_from_a_location_that_never_had_the_product_nothing_moves(self) -> None:
        here, empty = StockFactory.create(), LocationFactory.create()
        with pytest.raises(OutOfStockError):
            transfer_stock(product=here.product, source=empty, target=here.location, quantity=1)
        assert quantities(here.product) == [10]

    @pytest.mark.parametrize("quantity", [0, -1])
    def test_less_than_one_piece_is_a_mistake(self, quantity: int) -> None:
        here, there = StockFactory.create(), LocationFactory.create()
        with pytest.raises(ValueError, match="pieces from"):
            transfer_stock(
                product=here.product, source=here.location, target=there, quantity=quantity
            )

    def test_rows_are_locked_by_primary_key_and_changed_by_the_database(self) -> None:
        first = StockFactory.create()
        second = StockFactory.create(product=first.product)
        with CaptureQueriesContext(connection) as captured:
            transfer_stock(
                product=first.product, source=second.location, target=first.location, quantity=1
            )
        queries = [query["sql"] for query in captured]
        [lock] = [sql for sql in queries if "FOR NO KEY UPDATE" in sql]
        assert 'ORDER BY "shop_stock"."id" ASC' in lock
        [update] = [sql for sql in queries if sql.startswith("UPDATE")]
        assert 'SET "quantity" = ("shop_stock"."quantity" + CASE' in update


class TestOrders:
    def test_an_order_takes_its_pieces_from_the_first_location_on(self) -> None:
        product = ProductFactory.create()
        for quantity in (2, 5, 5):
            StockFactory.create(product=product, quantity=quantity)
        order = place_order(customer=UserFactory.create(), quantities={product.pk: 6})
        assert quantities(product) == [0, 1, 5]
        taken = order.stock_movements.order_by("pk").values_list("change", "reason")
        assert list(taken) == [(-2, "ordered"), (-4, "ordered")]
        assert ledger_agrees()

    def test_a_product_that_is_not_counted_is_never_sold_out(self) -> None:
        product = ProductFactory.create()
        place_order(customer=UserFactory.create(), quantities={product.pk: 1_000})
        assert not StockMovement.objects.exists()

    def test_an_order_of_too_many_names_the_line_and_leaves_nothing(self, client: Client) -> None:
        client.force_login(UserFactory.create())
        plenty, scarce = StockFactory.create(quantity=9), StockFactory.create(quantity=1)
        lines = [{"product": stock.product.pk, "quantity": 2} for stock in (plenty, scarce)]
        response = client.post("/api/v1/orders/", {"lines": lines}, JSON)
        assert (response.status_code, response.json()["code"]) == (409, "out_of_stock")
        assert response.json()["errors"] == [
            {
                "pointer": "#/lines/1/product",
                "code": "out_of_stock",
                "detail": "There are not enough pieces.",
            }
        ]
        assert not Order.objects.exists()
        assert [quantities(stock.product) for stock in (plenty, scarce)] == [[9], [1]]

    def test_fifty_lines_take_their_stock_by_one_lock_one_update_and_one_ledger_statement(
        self,
    ) -> None:
        products = [StockFactory.create().product for _ in range(50)]
        customer = UserFactory.create()
        with CaptureQueriesContext(connection) as captured:
            place_order(customer=customer, quantities=dict.fromkeys((p.pk for p in products), 1))
        queries = [query["sql"] for query in captured]
        assert sum("FOR NO KEY UPDATE" in sql for sql in queries) == 1
        assert sum(sql.startswith("UPDATE") for sql in queries) == 1
        assert sum(sql.startswith('INSERT INTO "shop_stockmovement"') for sql in queries) == 1


class TestTheApi:
    URL = "/api/v1/stock-transfers/"

    @pytest.fixture
    def staff(self) -> User:
        user = UserFactory.create(is_staff=True)
        user.user_permissions.add(Permission.objects.get(codename="add_stockmovement"))
        return user

    def body(self, stock: Stock, target: Location, quantity: Any) -> dict[str, Any]:
        return {
            "product": stock.product_id,
            "from_location": stock.location_id,
            "to_location": target.pk,
            "quantity": quantity,
        }

    def test_staff_moves_pieces(self, client: Client, staff: User) -> None:
        client.force_login(staff)
        stock, target = StockFactory.create(), LocationFactory.create()
        response = client.post(self.URL, self.body(stock, target, 4), JSON)
        assert response.status_code == 200
        assert response.json() == {"from_quantity": 6, "to_quantity": 4}

    def test_more_than_there_is_conflicts(self, client: Client, staff: User) -> None:
        client.force_login(staff)
        stock, target = StockFactory.create(), LocationFactory.create()
        response = client.post(self.URL, self.body(stock, target, 11), JSON)
        assert response.status_code == 409
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.json()["code"] == "out_of_stock"
        assert quantities(stock.product) == [10]

    def test_what_makes_no_sense_is_refused(self, client: Client, staff: User) -> None:
        client.force_login(staff)
        stock, target = StockFactory.create(), LocationFactory.create()
        good = self.body(stock, target, 1)
        for wrong, pointer in (
            ({"to_location": stock.location_id}, "#/to_location"),
            ({"to_location": 10**18}, "#/to_location"),
            ({"from_location": "x"}, "#/from_location"),
            ({"product": 10**30}, "#/product"),
            ({"quantity": 0}, "#/quantity"),
            ({"quantity": 1_000_001}, "#/quantity"),
        ):
            response = client.post(self.URL, good | wrong, JSON)
            assert response.status_code == 400, wrong
            assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
        assert quantities(stock.product) == [10]

    def test_a_transfer_to_the_same_location_has_a_code_of_its_own(
        self, client: Client, staff: User
    ) -> None:
        client.force_login(staff)
        stock = StockFactory.create()
        response = client.post(self.URL, self.body(stock, stock.location, 1), JSON)
        assert [error["code"] for error in response.json()["errors"]] == ["same_location"]

    def test_a_customer_moves_nothing(self, client: Client) -> None:
        client.force_login(UserFactory.create())
        stock, target = StockFactory.create(), LocationFactory.create()
        response = client.post(self.URL, self.body(stock, target, 1), JSON)
        assert (response.status_code, response.json()["code"]) == (403, "permission_denied")
        assert quantities(stock.product) == [10]


class TestTheDatabaseRefuses:
    def test_fewer_pieces_than_none(self) -> None:
        stock = StockFactory.create()
        with pytest.raises(IntegrityError, match="shop_stock_not_negative"), transaction.atomic():
            Stock.objects.filter(pk=stock.pk).update(quantity=-1)

    def test_one_product_twice_at_a_location(self) -> None:
        stock = StockFactory.create()
        with pytest.raises(IntegrityError, match="shop_stock_once"), transaction.atomic():
            Stock.objects.create(product=stock.product, location=stock.location)

    @pytest.mark.parametrize(
        ("reason", "change", "ordered"),
        [("received", 0, False), ("ordered", -1, False), ("received", 1, True)],
    )
    def test_a_movement_that_explains_nothing(
        self, reason: str, change: int, ordered: bool
    ) -> None:
        stock, order = StockFactory.create(), OrderFactory.create() if ordered else None
        with pytest.raises(IntegrityError, match="shop_movement"), transaction.atomic():
            StockMovement.objects.create(stock=stock, change=change, reason=reason, order=order)


class TestTheAdmin:
    @pytest.fixture(autouse=True)
    def _login(self, client: Client) -> None:
        client.force_login(UserFactory.create(is_staff=True, is_superuser=True))

    def test_it_receives_pieces_of_a_new_product_and_of_a_known_one(self, client: Client) -> None:
        product, location = ProductFactory.create(), LocationFactory.create()
        sent = {"product": product.pk, "location": location.pk, "received": 5}
        assert client.post("/admin/shop/stock/add/", sent).status_code == 302
        stock = Stock.objects.get()
        # A total is not the form's to say: between reading and saving it, others order.
        response = client.post(
            f"/admin/shop/stock/{stock.pk}/change/", {"received": 2, "quantity": 99}
        )
        assert response.status_code == 302
        assert quantities(product) == [7]
        assert ledger_agrees()

    @pytest.mark.parametrize("path", ["location/", "stock/", "stock/add/", "stockmovement/"])
    def test_it_shows(self, client: Client, path: str) -> None:
        StockFactory.create()
        assert client.get(f"/admin/shop/{path}").status_code == 200

    def test_it_changes_nothing_in_the_ledger(self, client: Client) -> None:
        StockFactory.create()
        movement = StockMovement.objects.get()
        for path in ("add", f"{movement.pk}/delete"):
            assert client.post(f"/admin/shop/stockmovement/{path}/").status_code == 403
        assert client.get(f"/admin/shop/stockmovement/{movement.pk}/change/").status_code == 200


def test_nothing_arrives_as_less_than_one_piece() -> None:
    with pytest.raises(ValueError, match="quantity"):
        receive_stock(
            product=ProductFactory.create(), location=LocationFactory.create(), quantity=0
        )
