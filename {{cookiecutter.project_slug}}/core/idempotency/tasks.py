"""The clean-up of old answers."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.db.models.functions import Now

from core.idempotency.models import Answer
from core.idempotency.views import KEPT

logger = structlog.get_logger(__name__)

# Rows of one statement, far below what the role's statement_timeout of 5 s allows.
BATCH = 1_000


@shared_task(queue="low")
def clear_old_answers(batch: int = BATCH) -> int:
    """Delete answers that are no longer given, `batch` rows at a time. Returns how many."""
    old = Answer.objects.filter(created_at__lte=Now() - KEPT)
    total = 0
    while keys := list(old.values_list("pk", flat=True)[:batch]):
        deleted, _ = old.filter(pk__in=keys).delete()
        total += deleted
    logger.info("old answers deleted", answers=total)
    return total
