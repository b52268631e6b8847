"""The shop's rows for tests."""

from __future__ import annotations

from typing import Any

import factory

from apps.shop.models import Location, Order, OrderLine, Product, Review, Stock
from apps.shop.ratings import write_review
from apps.shop.stock import receive_stock
from tests.factories import UserFactory


class ProductFactory(factory.django.DjangoModelFactory[Product]):
    """A product for 10.00."""

    class Meta:
        model = Product

    name = factory.Sequence(lambda n: f"Product {n}")
    price_cents = 1_000


class OrderFactory(factory.django.DjangoModelFactory[Order]):
    """A pending order of one product; `lines=3` for more, each a product of its own."""

    class Meta:
        model = Order
        skip_postgeneration_save = True

    customer = factory.SubFactory(UserFactory)
    total_cents = 1_000

    @factory.post_generation
    def lines(order: Order, create: bool, count: int | None, **_: Any) -> None:  # noqa: N805
        for _line in range(count or 1):
            OrderLineFactory.create(order=order)


class OrderLineFactory(factory.django.DjangoModelFactory[OrderLine]):
    """One piece of a product at its price."""

    class Meta:
        model = OrderLine

    order = factory.SubFactory(OrderFactory)
    product = factory.SubFactory(ProductFactory)
    quantity = 1
    unit_price_cents = factory.SelfAttribute("product.price_cents")


class LocationFactory(factory.django.DjangoModelFactory[Location]):
    """An empty warehouse."""

    class Meta:
        model = Location

    name = factory.Sequence(lambda n: f"Warehouse {n}")


class StockFactory(factory.django.DjangoModelFactory[Stock]):
    """Ten pieces of a product at a location, received as the service does it."""

    class Meta:
        model = Stock

    product = factory.SubFactory(ProductFactory)
    location = factory.SubFactory(LocationFactory)
    quantity = 10

    @classmethod
    def _create(cls, model_class: type[Stock], *args: Any, **fields: Any) -> Stock:
        return receive_stock(**fields)


class ReviewFactory(factory.django.DjangoModelFactory[Review]):
    """Four stars, counted."""

    class Meta:
        model = Review

    product = factory.SubFactory(ProductFactory)
    customer = factory.SubFactory(UserFactory)
    rating = 4
    text = "Good."

    @classmethod
    def _create(cls, model_class: type[Review], *args: Any, **fields: Any) -> Review:
        return write_review(**fields)
