"""What follows an order, and what is put right at night, in the worker."""

from __future__ import annotations

from datetime import timedelta

import structlog
from celery import shared_task
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from apps.shop import ratings
from apps.shop.models import Order, ProductImage
from core.executions.once import IdempotentTask
from core.images.errors import ImageRefusedError
from core.images.rendering import Rendition, render
from core.storage.tasks import delete_files

logger = structlog.get_logger(__name__)

IMAGE_SIDE, THUMBNAIL_SIDE = 1_280, 320  # pixels of the longer side
# Minutes after which a picture's message counts as lost, above all its retries (17), and after
# which it is given up.
RENDER_AGAIN, GIVE_UP = timedelta(minutes=30), timedelta(days=1)


@shared_task(base=IdempotentTask, queue="default")
def send_receipt(order_id: int) -> None:
    """Mail the receipt of a paid order.

    Ten deliveries of its message are one receipt. A worker that dies between the mail and the
    note of it leaves a second one: SMTP knows no key. Raises `Order.DoesNotExist`, which nobody can
    cause by the API.
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


@shared_task(queue="low")
def render_image(image_id: int) -> None:
    """Draw the copies of an uploaded picture that are shown; twice is as good as once.

    Copies that a lost run had stored are orphans (`manage.py orphaned_files`). Raises
    `StorageUnavailableError`, which is retried.
    """
    image = ProductImage.objects.filter(pk=image_id, state=ProductImage.State.PENDING).first()
    if image is None:  # drawn by another run, or deleted
        return
    try:
        with image.original.open() as file:
            picture, small = render(file.read(), IMAGE_SIDE, THUMBNAIL_SIDE)
    except ImageRefusedError as refused:
        _finish(image_id, state=ProductImage.State.FAILED, failure=refused.code)
    except FileNotFoundError:
        _finish(image_id, state=ProductImage.State.FAILED, failure="lost")
    else:
        _finish(
            image_id,
            state=ProductImage.State.READY,
            image=_stored(picture),
            thumbnail=_stored(small),
            width=picture.width,
            height=picture.height,
        )


def _stored(rendition: Rendition) -> str:
    return default_storage.save("products/image.webp", ContentFile(rendition.data))


def _finish(image_id: int, **changes: str | int) -> None:
    """Write the result if nobody else did; else delete what was stored for it."""
    with transaction.atomic():
        image = (
            ProductImage.objects.select_for_update()
            .filter(pk=image_id, state=ProductImage.State.PENDING)
            .first()
        )
        if image is None:
            delete_files.delay(
                [str(changes[name]) for name in ("image", "thumbnail") if name in changes]
            )
            return
        delete_files.delay(image.files)
        for name, value in {**changes, "original": ""}.items():
            setattr(image, name, value)
        image.save()
    logger.info("image rendered", image_id=image_id, state=image.state, failure=image.failure)


@shared_task(queue="low")
def render_pending_images() -> None:
    """Send again what was lost between the commit and the worker; give up after a day."""
    now = timezone.now()
    pending = ProductImage.objects.filter(state=ProductImage.State.PENDING)
    for image_id in pending.filter(created_at__lt=now - GIVE_UP).values_list("pk", flat=True):
        _finish(image_id, state=ProductImage.State.FAILED, failure="gave_up")
    waiting = pending.filter(created_at__lt=now - RENDER_AGAIN).order_by("created_at")
    for image_id in waiting.values_list("pk", flat=True)[:1_000]:
        render_image.delay(image_id)
