"""The clean-up of sessions that ended: nothing else removes their rows."""

from __future__ import annotations

from importlib import import_module

import structlog
from celery import shared_task
from django.conf import settings
from django.utils import timezone

logger = structlog.get_logger(__name__)

# Rows of one statement. `manage.py clearsessions` deletes all in one, which the role's
# statement_timeout of 5 s ends, every night, once there are some hundred thousand.
BATCH = 1_000


@shared_task(queue="low")
def clear_expired_sessions(batch: int = BATCH) -> int:
    """Delete expired sessions, `batch` rows at a time. Returns how many."""
    sessions = import_module(settings.SESSION_ENGINE).SessionStore.get_model_class().objects
    now = timezone.now()
    total = 0
    while keys := list(
        sessions.filter(expire_date__lt=now).values_list("session_key", flat=True)[:batch]
    ):
        deleted, _ = sessions.filter(session_key__in=keys, expire_date__lt=now).delete()
        total += deleted
    logger.info("expired sessions deleted", sessions=total)
    return total
