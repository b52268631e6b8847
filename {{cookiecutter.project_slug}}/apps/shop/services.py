"""Everything that changes an order: in one transaction, under a lock, with its effects after it.

Nothing here talks to another system inside `atomic`: a lock that waits for somebody else's server
stops every request that wants the same row. What must happen outside is a task.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from apps.shop.models import CURRENCY, Order, OrderLine, Product
from apps.shop.stock import take_stock
from apps.shop.tasks import send_receipt
from apps.users.models import User
from core import outbox


class UnavailableProductsError(Exception):
    """Some of the ordered products do not exist or are not for sale; `product_ids` says which."""

    def __init__(self, product_ids: set[int]) -> None:
        super().__init__(f"Not for sale: {sorted(product_ids)}")
        self.product_ids = product_ids


@transaction.atomic
def place_order(*, customer: User, quantities: Mapping[int, int]) -> Order:
    """Create an order of `quantities` (product id to number) at today's prices, and take its stock.

    Raises `UnavailableProductsError`, `OutOfStockError`.
    """
    products = Product.objects.filter(is_available=True).in_bulk(quantities)
    if missing := quantities.keys() - products.keys():
        raise UnavailableProductsError(missing)
    order = Order.objects.create(
        customer=customer,
        currency=CURRENCY,
        total_cents=sum(
            products[product_id].price_cents * quantity
            for product_id, quantity in quantities.items()
        ),
    )
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            product=products[product_id],
            quantity=quantity,
            unit_price_cents=products[product_id].price_cents,
        )
        for product_id, quantity in quantities.items()
    )
    take_stock(order, quantities)
    return order


@transaction.atomic
def pay_order(order_id: int, *, customer: User) -> Order:
    """Mark the customer's order as paid and have its receipt sent; paying twice pays once.

    The row is locked before its status is read: of two payments at the same moment the second one
    waits, sees a paid order and changes nothing. A payment provider is called before this, outside
    the transaction and with an idempotency key. Raises `Order.DoesNotExist`.
    """
    order = Order.objects.select_for_update().get(pk=order_id, customer=customer)
    if order.status == Order.Status.PAID:
        return order
    order.status = Order.Status.PAID
    order.paid_at = timezone.now()
    order.save(update_fields=["status", "paid_at"])
    # In the same transaction: a paid order without its receipt cannot be, whatever dies next.
    outbox.send(send_receipt, order.pk, key=f"order:{order.pk}")
    return order
