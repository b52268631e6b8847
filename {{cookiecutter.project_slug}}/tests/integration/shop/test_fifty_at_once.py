"""Fifty at the same moment, through PgBouncer, with rows that are committed.

Each count is exact: one more or one fewer is a lost update, a lost lock or a deadlock.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import F
from psycopg import errors

from apps.shop.models import Location, Order, Product, ProductRating, Review, Stock
from apps.shop.ratings import AlreadyReviewedError, write_review
from apps.shop.services import pay_order, place_order
from apps.shop.stock import OutOfStockError, transfer_stock
from core.outbox.relay import Relay
from tests.broker import Queue
from tests.factories import UserFactory
from tests.integration.shop.factories import (
    LocationFactory,
    OrderFactory,
    ProductFactory,
    StockFactory,
)
from tests.integration.shop.test_stock import ledger_agrees, quantities
from tests.parallel import at_once

pytestmark = pytest.mark.django_db(transaction=True)
FIFTY = 50


def kinds(results: list[Any]) -> Counter[str]:
    return Counter(type(result).__name__ for result in results)


def test_fifty_payments_of_one_order_have_one_effect(queue: Queue) -> None:
    order = OrderFactory.create()
    paid = at_once(FIFTY, lambda _: pay_order(order.pk, customer=order.customer))
    order.refresh_from_db()
    assert order.status == "paid"
    assert [(each.status, each.paid_at) for each in paid] == [("paid", order.paid_at)] * FIFTY
    Relay().drain()
    [receipt] = queue.messages
    assert (receipt["task"], receipt["args"]) == ("apps.shop.tasks.send_receipt", [order.pk])


class TestTransfersInOppositeDirections:
    @pytest.fixture
    def two(self) -> tuple[Product, Location, Location]:
        first = StockFactory.create(quantity=200)
        second = StockFactory.create(product=first.product, quantity=200)
        return first.product, first.location, second.location

    def test_none_deadlocks_and_no_piece_is_lost(
        self, two: tuple[Product, Location, Location]
    ) -> None:
        product, a, b = two

        def move(index: int) -> object:
            source, target = (a, b) if index % 2 else (b, a)
            return transfer_stock(
                product=product, source=source, target=target, quantity=1 + index % 7
            )

        assert kinds(at_once(FIFTY, move)) == {"dict": FIFTY}
        net = sum((1 + index % 7) * (1 if index % 2 else -1) for index in range(FIFTY))
        assert net  # else a transfer that did nothing would pass
        assert quantities(product) == [200 - net, 200 + net]
        assert ledger_agrees()

    def test_in_the_order_of_the_caller_they_deadlock(
        self, two: tuple[Product, Location, Location]
    ) -> None:
        """The control: the same load, the same harness, and rows locked as they are named."""
        product, *locations = two
        held = [threading.Event(), threading.Event()]

        def move(index: int) -> None:
            way = index % 2
            with transaction.atomic():
                stock = Stock.objects.filter(product=product)
                stock.filter(location=locations[way]).update(quantity=F("quantity") - 1)
                held[way].set()
                held[1 - way].wait(5)  # until one is half way in each direction
                stock.filter(location=locations[1 - way]).update(quantity=F("quantity") + 1)

        failed = [error for error in at_once(FIFTY, move) if isinstance(error, OperationalError)]
        causes = [error.__cause__ for error in failed]
        assert any(isinstance(cause, errors.DeadlockDetected) for cause in causes)

    def test_of_fifty_for_ten_pieces_ten_succeed(self) -> None:
        here, there = StockFactory.create(quantity=10), LocationFactory.create()

        def move(_: int) -> object:
            return transfer_stock(
                product=here.product, source=here.location, target=there, quantity=1
            )

        assert kinds(at_once(FIFTY, move)) == {"dict": 10, OutOfStockError.__name__: 40}
        assert quantities(here.product) == [0, 10]
        assert ledger_agrees()


class TestOrders:
    def test_of_fifty_for_the_last_ten_pieces_ten_succeed(self) -> None:
        customer = UserFactory.create()
        first = StockFactory.create(quantity=6)
        StockFactory.create(product=first.product, quantity=4)

        def order(_: int) -> Order:
            return place_order(customer=customer, quantities={first.product_id: 1})

        assert kinds(at_once(FIFTY, order)) == {"Order": 10, OutOfStockError.__name__: 40}
        assert Order.objects.count() == 10
        assert quantities(first.product) == [0, 0]
        assert ledger_agrees()

    def test_of_the_same_products_in_opposite_orders_beside_transfers_none_deadlocks(self) -> None:
        customer = UserFactory.create()
        pen, ink = StockFactory.create(quantity=100), StockFactory.create(quantity=100)
        there = LocationFactory.create()

        def act(index: int) -> object:
            if index % 5 == 0:
                return transfer_stock(
                    product=ink.product, source=ink.location, target=there, quantity=1
                )
            names = (pen.product_id, ink.product_id)[:: 1 if index % 2 else -1]
            return place_order(customer=customer, quantities=dict.fromkeys(names, 1))

        assert kinds(at_once(FIFTY, act)) == {"Order": 40, "dict": 10}
        assert quantities(pen.product) == [60]
        assert quantities(ink.product) == [50, 10]
        assert ledger_agrees()


class TestReviews:
    def test_those_of_fifty_customers_are_all_counted(self) -> None:
        product, customers = ProductFactory.create(), UserFactory.create_batch(FIFTY)

        def review(index: int) -> Review:
            return write_review(product=product, customer=customers[index], rating=1 + index % 5)

        assert kinds(at_once(FIFTY, review)) == {"Review": FIFTY}
        rating = ProductRating.objects.get(product=product)
        assert (rating.review_count, rating.rating_sum) == (50, 150)

    def test_of_one_customer_one_is_written_and_counted(self) -> None:
        product, customer = ProductFactory.create(), UserFactory.create()
        results = at_once(
            FIFTY, lambda _: write_review(product=product, customer=customer, rating=5)
        )
        assert kinds(results) == {"Review": 1, AlreadyReviewedError.__name__: 49}
        assert ProductRating.objects.get(product=product).review_count == 1


def test_the_fifty_meet_in_the_database() -> None:
    """What all of the above rest on: connections of their own, in use at the same time."""

    def backend(_: int) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid() FROM pg_sleep(0.5)")
            return int(cursor.fetchone()[0])

    # deploy/pgbouncer: default_pool_size. Its reserve is open or not by what ran before.
    assert len(set(at_once(FIFTY, backend))) >= 24
