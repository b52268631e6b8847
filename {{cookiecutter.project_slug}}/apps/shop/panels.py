"""The shop's part of the page at `/` in development."""

from __future__ import annotations

from django.urls import reverse
from django.utils import timezone

from apps.home.panels import NOTE, UP, Cell, State, Table, ago
from apps.shop.models import Order

# Rows, as many as fit beside the other panels.
NEWEST = 5


def recent_orders() -> Table:
    """The newest orders of everybody, in two queries."""
    orders = Order.objects.order_by("-id").prefetch_related("lines__product")[:NEWEST]
    return Table(
        ("Order", "Total", "State"),
        [_row(order) for order in orders],
        empty="Nobody has ordered yet: POST /api/v1/orders/ places the first.",
    )


def _row(order: Order) -> list[Cell]:
    paid = order.status == Order.Status.PAID
    url = reverse("admin:shop_order_change", args=[order.pk])
    lines = ", ".join(f"{line.quantity} x {line.product.name}" for line in order.lines.all())
    age = timezone.now() - order.created_at
    return [
        Cell(f"No. {order.pk}", lines, url=url),
        Cell(f"{order.total} {order.currency}", ago(age.total_seconds())),
        Cell(state=State(UP if paid else NOTE, order.status)),
    ]
