"""Which calls are made again, when, and how many of them in all."""

from __future__ import annotations

import random
import threading

import httpx2

# A second and a third attempt: what two do not mend is an outage.
RETRIES = 2
# Seconds: the most before the first retry, doubled up to the second.
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0
# As gRPC's retry throttling (its proposal A6): a failure takes a token, a success gives a tenth of
# one back, and below half nobody retries. One failure in ten calls is retried; in an outage five
# retries are made, and not three times the traffic.
TOKENS, RATIO = 10.0, 0.1
# RFC 9110, 9.2.2.
_IDEMPOTENT = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"}
# Answers of a host, or of a proxy in front, that mean "not now".
_NOT_NOW = {502, 503, 504}
# Nothing was sent, so that any method may go again.
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout)
# What says that the host is in trouble; a mistake of ours, or our own bound of connections, is not.
HOST_FAILED = (httpx2.NetworkError, httpx2.RemoteProtocolError, httpx2.TimeoutException)


class Budget:
    """How many retries a host is still given by this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens = TOKENS

    def allows(self) -> bool:
        return self._tokens > TOKENS / 2

    def failed(self) -> None:
        with self._lock:
            self._tokens = max(0.0, self._tokens - 1)

    def succeeded(self) -> None:
        if self._tokens < TOKENS:
            with self._lock:
                self._tokens = min(TOKENS, self._tokens + RATIO)


def may_repeat(request: httpx2.Request, error: Exception | None) -> bool:
    """Whether a second sending can do no harm: by its method, its key, or because none was sent.

    A body that came from a generator is used up.
    """
    if not isinstance(request.stream, httpx2.ByteStream):
        return False
    is_idempotent = request.method in _IDEMPOTENT or "Idempotency-Key" in request.headers
    return is_idempotent or isinstance(error, _NOT_SENT)


def is_failure(response: httpx2.Response) -> bool:
    """Whether the host could not, which is its trouble; 501 and 505 are about what was asked."""
    return response.status_code >= 500 and response.status_code not in {501, 505}


def is_passing(response: httpx2.Response) -> bool:
    """Whether the same request may be answered a moment later."""
    return response.status_code in _NOT_NOW


def pause(retry: int) -> float:
    """Seconds before retry number `retry`, from 0: anything up to the bound ("full jitter")."""
    bound: float = min(LONGEST_PAUSE, FIRST_PAUSE * 2**retry)
    return random.uniform(0, bound)  # noqa: S311 - no secret
