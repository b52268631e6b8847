"""The clean-up of old jobs."""

from __future__ import annotations

from datetime import timedelta

import structlog
from celery import shared_task
from django.db.models import Q
from django.utils import timezone

from core.executions.tasks import KEPT
from core.jobs import running
from core.jobs.models import Job

__all__ = ["clear_old_jobs", "running"]  # the latter listens to the end of runs

logger = structlog.get_logger(__name__)

# Rows of one statement, far below what the role's statement_timeout of 5 s allows.
BATCH = 1_000
# One that failed may be replayed, one of a long queue may still be waiting.
LONGEST = timedelta(days=30)


@shared_task(queue="low")
def clear_old_jobs(batch: int = BATCH) -> int:
    """Delete those done `KEPT` ago and all of `LONGEST` ago. Returns how many."""
    now = timezone.now()
    is_over = Q(ended_at__lt=now - KEPT) | Q(created_at__lt=now - LONGEST)
    old = Job.objects.filter(is_over, created_at__lt=now - KEPT)  # the latter for the index
    total = 0
    while keys := list(old.values_list("pk", flat=True)[:batch]):
        deleted, _ = old.filter(pk__in=keys).delete()
        total += deleted
    logger.info("old jobs deleted", jobs=total)
    return total
