"""What follows an order, and what is put right at night, in the worker."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.core.mail import send_mail
from django.template.loader import render_to_string

from apps.shop import ratings
from apps.shop.models import Order

logger = structlog.get_logger(__name__)


@shared_task(queue="default")
def send_receipt(order_id: int) -> None:
    """Mail the receipt of a paid order.

    Tasks run at least once: a worker that dies between the mail and its acknowledgement leaves a
    second receipt. Raises `Order.DoesNotExist`, which nobody can cause by the API.
    """
    order = (
        Order.objects.select_related("customer").prefetch_related("lines__product").get(pk=order_id)
    )
    send_mail(
        f"Receipt for order {order.pk}",
        render_to_string("shop/receipt.txt", {"order": order}),
        None,  # DEFAULT_FROM_EMAIL
        [order.customer.email],
    )
    logger.info("receipt sent", order_id=order.pk)


@shared_task(queue="low")
def reconcile_ratings() -> int:
    """Compare the count of every product's reviews with the reviews. Returns how many it mended.

    More than none means that something writes reviews past `apps.shop.ratings`.
    """
    compared, mended = ratings.mend_ratings()
    log = logger.warning if mended else logger.info
    log("ratings reconciled", products=compared, mended=mended)
    return mended
