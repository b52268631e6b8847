"""The purge itself, in a worker."""

from __future__ import annotations

from functools import cache

import httpx2
import structlog
from celery import shared_task
from django.conf import settings

from core import outbound
from core.executions.once import IdempotentTask
from core.tasks.base import TRANSIENT

logger = structlog.get_logger("core.edge")


class NotPurgedError(Exception):
    """The edge answered something else than 200: a wrong token, or an address it does not know."""


@shared_task(
    base=IdempotentTask,
    autoretry_for=(*TRANSIENT, httpx2.TransportError, NotPurgedError),
    # One that restarts comes back empty; one behind a broken network keeps its copies. As long as
    # webhooks: 3 h 50 at most.
    max_retries=30,
)
def purge_edge(edge: str, what: list[str]) -> None:
    """Have the edge at `edge` forget `what`, as `core.edge.purge`. Twice does no harm."""
    tags = [each for each in what if not each.startswith("/")]
    for path in (each for each in what if each.startswith("/")):
        _purge(edge + path, {})
    if tags:
        _purge(edge, {"Edge-Purge-Tags": ",".join(tags)})
    logger.info("edge purged", edge=edge, what=what)


def _purge(url: str, more: dict[str, str]) -> None:
    # Copies are found by host, scheme and address, as a browser asked for them.
    headers = {"Host": settings.EDGE_HOST, "X-Forwarded-Proto": "https"}
    token = {"Edge-Token": settings.EDGE_PURGE_TOKEN or ""}
    answer = _client().request("PURGE", url, headers=headers | token | more)
    if not answer.is_success:
        raise NotPurgedError(f"status {answer.status_code}")


@cache
def _client() -> outbound.Client:
    return outbound.client(total=2.0, retries=0)  # the task has retries of its own
