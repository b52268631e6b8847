"""What both clients do around an attempt: one call, with its attempts."""

from __future__ import annotations

from functools import lru_cache
from time import monotonic

import httpx2
import structlog

from core import deadline
from core.outbound import retries
from core.outbound.atomic import refuse_transactions
from core.outbound.breaker import Breaker

logger = structlog.get_logger("core.outbound")


class Host:
    """What this process knows of a host, for all of its clients."""

    def __init__(self, name: str) -> None:
        self.breaker = Breaker(name)
        self.budget = retries.Budget()


@lru_cache(maxsize=1_024)  # hosts that users give, as of webhooks, have no end
def host(name: str) -> Host:
    """The host of `name`: scheme and authority, as in "https://partner.example"."""
    return Host(name)


class Call:
    """One request until its answer. Raises `InTransactionError` when it must not be made now."""

    def __init__(self, request: httpx2.Request, most: int) -> None:
        url = request.url
        self._name = f"{url.scheme}://{url.netloc.decode()}"
        refuse_transactions(self._name)
        self._request = request
        self._most = most
        self._host = host(self._name)
        self._retries = 0
        self._began = monotonic()

    def begin(self) -> None:
        """Before each attempt. Raises `CircuitOpenError`."""
        self._host.breaker.check()

    def failed(self, error: httpx2.TransportError) -> float | None:
        """Seconds until the next attempt, or None when `error` is the end of it."""
        if not isinstance(error, retries.HOST_FAILED) or isinstance(error, httpx2.PoolTimeout):
            return None
        self._host.breaker.failed()
        self._host.budget.failed()
        return self._next(error, type(error).__name__)

    def answered(self, response: httpx2.Response) -> float | None:
        """Seconds until the next attempt, or None when `response` is the answer."""
        if not retries.is_failure(response):
            self._host.breaker.succeeded()
            self._host.budget.succeeded()
            return None
        self._host.breaker.failed()
        self._host.budget.failed()
        if not retries.is_passing(response):
            self._tell(f"status {response.status_code}")
            return None
        return self._next(None, f"status {response.status_code}")

    def _next(self, error: Exception | None, reason: str) -> float | None:
        pause = retries.pause(self._retries)
        if (
            self._retries >= self._most
            or not retries.may_repeat(self._request, error)
            or not self._host.budget.allows()
            or self._host.breaker.is_open
            or pause >= deadline.remaining()
        ):
            self._tell(reason)
            return None
        self._retries += 1
        return pause

    def _tell(self, reason: str) -> None:
        logger.warning(
            "call failed",
            host=self._name,
            method=self._request.method,  # no path: it may hold a secret, as a webhook's does
            reason=reason,
            retries=self._retries,
            seconds=round(monotonic() - self._began, 3),
        )
