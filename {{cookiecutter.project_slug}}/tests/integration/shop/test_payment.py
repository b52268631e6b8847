"""Paying: under a lock, once, and with one receipt after the commit."""

from __future__ import annotations

import pytest
from django.core import mail
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoCaptureOnCommitCallbacks

from apps.shop.models import Order
from apps.shop.services import pay_order
from tests.integration.shop.factories import OrderFactory
from tests.logged import logged


@pytest.mark.django_db
def test_a_payment_is_written_and_its_receipt_goes_to_the_customer(
    client: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    order = OrderFactory.create(lines=2, total_cents=2_000)
    client.force_login(order.customer)
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(f"/api/v1/orders/{order.pk}/payment/")
        assert mail.outbox == []  # not before the commit
    assert response.status_code == 200
    assert (response.json()["status"], len(response.json()["lines"])) == ("paid", 2)
    assert response.json()["paid_at"]
    [receipt] = mail.outbox
    assert receipt.to == [order.customer.email]
    assert receipt.subject == f"Receipt for order {order.pk}"
    assert "1 x Product" in receipt.body
    assert "Total: 20.00 EUR" in receipt.body


@pytest.mark.django_db
def test_a_receipt_calls_a_product_by_its_name_and_not_by_html(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    order = OrderFactory.create()
    product = order.lines.get().product
    product.name = "Pen & <ink>"
    product.save()
    with django_capture_on_commit_callbacks(execute=True):
        pay_order(order.pk, customer=order.customer)
    assert "1 x Pen & <ink>: 10.00 EUR" in mail.outbox[0].body


@pytest.mark.django_db
def test_paying_twice_answers_the_same_and_sends_one_receipt(
    client: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    order = OrderFactory.create()
    client.force_login(order.customer)
    with django_capture_on_commit_callbacks(execute=True):
        first = client.post(f"/api/v1/orders/{order.pk}/payment/")
        second = client.post(f"/api/v1/orders/{order.pk}/payment/")
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()
    assert len(mail.outbox) == 1


@pytest.mark.django_db
def test_the_row_is_locked_before_its_status_is_read_and_written_once() -> None:
    order = OrderFactory.create()
    with CaptureQueriesContext(connection) as captured:
        pay_order(order.pk, customer=order.customer)
        pay_order(order.pk, customer=order.customer)
    queries = [query["sql"] for query in captured.captured_queries]
    reads = [sql for sql in queries if sql.startswith("SELECT")]
    assert len(reads) == 2
    assert all("FOR UPDATE" in sql for sql in reads)
    assert sum(sql.startswith("UPDATE") for sql in queries) == 1


@pytest.mark.django_db(transaction=True)
def test_the_receipt_is_logged_with_the_request_that_caused_it(client: Client) -> None:
    order = OrderFactory.create()
    client.force_login(order.customer)
    request_id = "request-0123456789"
    with logged() as lines:
        client.post(f"/api/v1/orders/{order.pk}/payment/", headers={"x-request-id": request_id})
    [receipt] = [line for line in lines.json if line["message"] == "receipt sent"]
    assert receipt["order_id"] == order.pk
    assert receipt["request_id"] == lines.requests[0]["request_id"] == request_id


class LaterError(Exception):
    """What a caller raises after the payment."""


def pay_and_fail(order: Order) -> None:
    with transaction.atomic():
        pay_order(order.pk, customer=order.customer)
        raise LaterError


@pytest.mark.django_db(transaction=True)
def test_a_payment_that_is_rolled_back_sends_no_receipt() -> None:
    order = OrderFactory.create()
    with pytest.raises(LaterError):
        pay_and_fail(order)
    order.refresh_from_db()
    assert order.status == "pending"
    assert mail.outbox == []
    # The control: committed, the same payment sends it.
    pay_order(order.pk, customer=order.customer)
    assert len(mail.outbox) == 1
