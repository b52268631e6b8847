"""The clean-up of what is known of old runs."""

from __future__ import annotations

from datetime import timedelta

import structlog
from celery import shared_task
from django.utils import timezone

from core.executions.models import Execution

logger = structlog.get_logger(__name__)

# A message that arrives again later than this after it was done would be run again; a broker's
# visibility timeout and the longest pause of the sweeper are far below it.
KEPT = timedelta(days=7)
# Rows of one statement, far below what the role's statement_timeout of 5 s allows.
BATCH = 1_000


@shared_task(queue="low")
def clear_old_executions(batch: int = BATCH) -> int:
    """Delete runs that were done `KEPT` ago, `batch` rows at a time. Returns how many."""
    old = Execution.objects.filter(completed_at__lt=timezone.now() - KEPT)
    total = 0
    while keys := list(old.values_list("key", flat=True)[:batch]):
        deleted, _ = old.filter(key__in=keys).delete()
        total += deleted
    logger.info("old executions deleted", executions=total)
    return total
