"""The clean-up of old jobs."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.utils import timezone

from core.executions.tasks import KEPT
from core.jobs import running
from core.jobs.models import Job

__all__ = ["clear_old_jobs", "running"]  # the latter listens to failures in workers

logger = structlog.get_logger(__name__)

# Rows of one statement, far below what the role's statement_timeout of 5 s allows.
BATCH = 1_000


@shared_task(queue="low")
def clear_old_jobs(batch: int = BATCH) -> int:
    """Delete jobs as old as the runs that are forgotten, `batch` at a time. Returns how many."""
    old = Job.objects.filter(created_at__lt=timezone.now() - KEPT)
    total = 0
    while keys := list(old.values_list("pk", flat=True)[:batch]):
        deleted, _ = old.filter(pk__in=keys).delete()
        total += deleted
    logger.info("old jobs deleted", jobs=total)
    return total
