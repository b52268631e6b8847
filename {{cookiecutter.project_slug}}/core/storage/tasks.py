"""Deletion of stored files, in the worker: a request does not wait for the object store."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.core.files.storage import default_storage

logger = structlog.get_logger("core.storage")


@shared_task(queue="low")
def delete_files(names: list[str]) -> None:
    """Delete what no row names any more; what is gone already is no error.

    Sent on commit, so that a rollback keeps the files. A message that is lost leaves orphans,
    which `manage.py orphaned_files` finds.
    """
    for name in names:
        default_storage.delete(name)
    logger.info("files deleted", count=len(names))
