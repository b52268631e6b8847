from __future__ import annotations

import pytest

from apps.shop.demo import PRODUCTS, create_products
from apps.shop.models import Product

pytestmark = pytest.mark.django_db


def test_products_are_created_once_and_a_changed_price_stays() -> None:
    create_products()
    Product.objects.filter(name="Fountain pen").update(price_cents=1)
    Product.objects.filter(name="Letter opener").delete()
    create_products()
    prices = dict(Product.objects.values_list("name", "price_cents"))
    assert prices == {**PRODUCTS, "Fountain pen": 1}
