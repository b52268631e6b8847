"""An order with an Idempotency-Key takes its pieces once."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.shop.models import Order
from tests.factories import UserFactory
from tests.integration.shop.factories import ProductFactory

pytestmark = pytest.mark.django_db


def test_an_order_that_is_sent_again_is_placed_once(client: Client) -> None:
    client.force_login(UserFactory.create())
    sent = {"lines": [{"product": ProductFactory.create().pk, "quantity": 1}]}
    first, second = (
        client.post("/api/v1/orders/", sent, "application/json", headers={"Idempotency-Key": "a"})
        for _ in range(2)
    )
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert Order.objects.count() == 1
