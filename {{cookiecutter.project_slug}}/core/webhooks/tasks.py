"""The clean-up of the inbox; importing it makes `deliver` known to workers."""

from __future__ import annotations

from datetime import timedelta

import structlog
from celery import shared_task
from django.utils import timezone

from core.webhooks.models import Received
from core.webhooks.sending import deliver

__all__ = ["clear_old_webhooks", "deliver"]

logger = structlog.get_logger(__name__)

# A sender that repeats itself stops after days; its signature is refused after five minutes.
KEPT = timedelta(days=30)
# Rows of one statement, far below what the role's statement_timeout of 5 s allows.
BATCH = 1_000


@shared_task(queue="low")
def clear_old_webhooks(batch: int = BATCH) -> int:
    """Delete what came in `KEPT` ago, `batch` rows at a time. Returns how many."""
    old = Received.objects.filter(received_at__lt=timezone.now() - KEPT)
    total = 0
    while keys := list(old.values_list("pk", flat=True)[:batch]):
        deleted, _ = old.filter(pk__in=keys).delete()
        total += deleted
    logger.info("old webhooks deleted", webhooks=total)
    return total
