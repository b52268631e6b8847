"""What follows a change of a row, whoever makes it; registered by the app's `ready()`."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_delete
from django.dispatch import receiver

from apps.shop.models import ProductImage
from core.storage.tasks import delete_files


@receiver(post_delete, sender=ProductImage)
def delete_its_files(instance: ProductImage, **_: Any) -> None:
    """On commit, in the worker, however the row was deleted: alone, in bulk, with its product."""
    if instance.files:
        delete_files.delay(instance.files)
