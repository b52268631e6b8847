"""The clean-up of counters that ended: nothing else removes their rows."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.utils import timezone

from core.lockout.models import Counter

logger = structlog.get_logger(__name__)

# Rows of one statement, far below what the role's statement_timeout of 5 s allows.
BATCH = 1_000


@shared_task(queue="low")
def clear_expired_counters(batch: int = BATCH) -> int:
    """Delete expired counters, `batch` rows at a time. Returns how many."""
    now = timezone.now()
    total = 0
    expired = Counter.objects.filter(expires_at__lt=now)
    while keys := list(expired.values_list("key", flat=True)[:batch]):
        deleted, _ = expired.filter(key__in=keys).delete()
        total += deleted
    logger.info("expired counters deleted", counters=total)
    return total
