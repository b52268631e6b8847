"""What goes out."""

from __future__ import annotations

import json
import time
from functools import cache
from http import HTTPStatus
from typing import Any

import httpx2
from celery import current_task, shared_task
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from core import outbound, outbox
from core.executions.once import IdempotentTask
from core.tasks.base import TRANSIENT
from core.webhooks.signing import sign


class NotTakenError(Exception):
    """The other side answered something else than 2xx."""


class GoneError(Exception):
    """The other side answered 410: it wants no webhooks there any more."""


def send(url: str, kind: str, data: dict[str, Any]) -> str:
    """As `core.webhooks.send`."""
    require_secrets()
    event = {"type": kind, "timestamp": timezone.now().isoformat(), "data": data}
    return outbox.send(deliver, url, json.dumps(event, separators=(",", ":")), key=url[:100])


def require_secrets() -> None:
    """Raises `ImproperlyConfigured` without WEBHOOK_SECRETS."""
    if not settings.WEBHOOK_SECRETS:
        raise ImproperlyConfigured(
            "WEBHOOK_SECRETS is empty, so nothing can be signed: "
            "set it to whsec_ and the output of `openssl rand -base64 32`."
        )


@shared_task(
    base=IdempotentTask,
    queue="low",
    autoretry_for=(*TRANSIENT, httpx2.TransportError, NotTakenError),
    # A receiver may be away for an hour: pauses that grow for 17 minutes, then of 10 minutes each,
    # make 3 h 50 at most and half of it on average.
    max_retries=30,
)
def deliver(url: str, body: str) -> None:
    """POST it. A second delivery has the same `webhook-id`, by which the other side knows it.

    Out of its retries, or after 410, it is a dead letter, which can be replayed.
    """
    content = body.encode()
    # The time of this attempt: one that was signed an hour ago would be refused as a replay.
    signed = sign(settings.WEBHOOK_SECRETS, str(current_task.request.id), content, int(time.time()))
    answer = _client().post(
        url, content=content, headers={**signed, "Content-Type": "application/json"}
    )
    if answer.status_code == HTTPStatus.GONE:
        raise GoneError(f"{url} wants no webhooks any more.")
    if not answer.is_success:
        raise NotTakenError(f"status {answer.status_code}")


@cache
def _client() -> outbound.Client:
    # The task has retries of its own, which wait longer.
    return outbound.client(
        total=10.0, retries=0, public_only=settings.WEBHOOKS_TO_PUBLIC_ADDRESSES_ALONE
    )
