"""The throttle of API views that make work for a queue."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from core.admission.depth import Depth

if TYPE_CHECKING:
    from rest_framework.views import APIView

logger = structlog.get_logger("core.admission")

# Seconds, the header Retry-After. A queue at its bound is minutes deep; clients that come back
# at once would only be counted again.
RETRY_AFTER = 30


class _Depths(defaultdict[str, Depth]):
    def __missing__(self, queue: str) -> Depth:
        return self.setdefault(queue, Depth(queue))


depths = _Depths()


class QueueThrottle(BaseThrottle):
    """429 for unsafe methods of a view whose attribute `queue` names a queue past its bound."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Whether the queue, as it was within the last second, takes more."""
        queue: str = getattr(view, "queue", "")
        bound = settings.TASKS_QUEUE_BOUNDS.get(queue)
        if bound is None or request.method in SAFE_METHODS:
            return True
        depth = depths[queue].read(bound)
        if depth < bound:
            return True
        logger.warning("request refused", queue=queue, depth=depth, bound=bound)
        return False

    def wait(self) -> float:
        """Seconds."""
        return RETRY_AFTER
