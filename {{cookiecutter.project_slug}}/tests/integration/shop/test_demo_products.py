from __future__ import annotations

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from apps.shop.demo import PRODUCTS, REVIEWS, STOCK, create_products
from apps.shop.models import Product, Review, Stock
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_products_are_created_once_and_a_changed_price_stays() -> None:
    create_products()
    Product.objects.filter(name="Fountain pen").update(price_cents=1)
    Product.objects.filter(name="Letter opener").delete()
    create_products()
    prices = dict(Product.objects.values_list("name", "price_cents"))
    assert prices == {**PRODUCTS, "Fountain pen": 1}


def test_stock_and_reviews_are_created_once() -> None:
    reviewer = UserFactory.create()
    create_products(reviewer)
    Stock.objects.update(quantity=0)
    create_products(reviewer)
    assert Stock.objects.count() == sum(len(pieces) for pieces in STOCK.values())
    assert not Stock.objects.exclude(quantity=0).exists()
    assert Review.objects.count() == len(REVIEWS)
    rated = Product.objects.filter(rating__review_count=1)
    assert {product.name for product in rated} == REVIEWS.keys()


def test_every_product_has_a_picture_that_the_worker_can_draw(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        create_products()
    states = Product.objects.values_list("images__state", flat=True)
    assert list(states) == ["ready"] * len(PRODUCTS)
