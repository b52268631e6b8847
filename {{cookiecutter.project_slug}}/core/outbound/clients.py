"""The clients themselves: httpx2's, with what `core.outbound` promises around `send`."""

from __future__ import annotations

import asyncio
import ssl
import threading
from functools import cache
from typing import Any

import httpcore2
import httpx2
from django.conf import settings

from core import deadline
from core.outbound.calls import Call
from core.outbound.network import AsyncBackend, Backend
from core.outbound.rates import RateLimit
from core.outbound.retries import RETRIES
from core.requests.context import current_request_id

# Seconds. A host on the other side of the world answers SYN within 0.3; 2 bear one that is lost.
CONNECT = 2.0
# Seconds for a call with all that belongs to it, unless its client says otherwise.
TOTAL = 5.0
# Connections of one client: a process has fewer threads, and coroutines must not take a host down.
LIMITS = httpx2.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=30.0)


@cache
def _authorities() -> ssl.SSLContext:
    """Loaded once in a process: it takes 50 ms."""
    return httpx2.create_ssl_context()


class _Transport(httpx2.HTTPTransport):
    def __init__(self, *, public_only: bool) -> None:
        super().__init__(verify=_authorities())
        self._pool = httpcore2.ConnectionPool(
            ssl_context=_authorities(),
            max_connections=LIMITS.max_connections,
            max_keepalive_connections=LIMITS.max_keepalive_connections,
            keepalive_expiry=LIMITS.keepalive_expiry,
            network_backend=Backend(public_only=public_only),
        )


class _AsyncTransport(httpx2.AsyncHTTPTransport):
    def __init__(self, *, public_only: bool) -> None:
        super().__init__(verify=_authorities())
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=_authorities(),
            max_connections=LIMITS.max_connections,
            max_keepalive_connections=LIMITS.max_keepalive_connections,
            keepalive_expiry=LIMITS.keepalive_expiry,
            network_backend=AsyncBackend(public_only=public_only),
        )


class _Bounds:
    """`total` seconds for a call, `retries` of it, `limit` calls a second."""

    def __init__(self, total: float, retries: int, limit: RateLimit | None) -> None:
        self.total = total
        self.retries = retries
        self.limit = limit

    def for_httpx2(self) -> httpx2.Timeout:
        connect = min(CONNECT, self.total)
        return httpx2.Timeout(self.total, connect=connect, pool=connect)

    def wait(self) -> float:
        """Seconds to wait for the call's turn. Raises `RateLimitedError` when there is no time."""
        return self.limit.turn(deadline.remaining()) if self.limit else 0.0


class Client(httpx2.Client):
    """Made by `client()`. Raises `httpx2.TransportError` when there is no answer."""

    def __init__(self, bounds: _Bounds, **options: Any) -> None:
        super().__init__(**options)
        self._bounds = bounds

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """As httpx2's. With `stream=True` the bound of time ends where the body begins."""
        call = Call(request, self._bounds.retries)
        _say_who(request)
        with deadline.budget(self._bounds.total):
            pause: float | None = self._bounds.wait()
            while pause is not None:
                threading.Event().wait(pause)
                call.begin()
                try:
                    response = super().send(request, **options)
                except httpx2.TransportError as error:
                    if (pause := call.failed(error)) is None:
                        raise
                else:
                    if (pause := call.answered(response)) is not None:
                        response.close()
        return response


class AsyncClient(httpx2.AsyncClient):
    """Made by `async_client()`. Raises `httpx2.TransportError` when there is no answer."""

    def __init__(self, bounds: _Bounds, **options: Any) -> None:
        super().__init__(**options)
        self._bounds = bounds

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """As httpx2's. With `stream=True` the bound of time ends where the body begins."""
        call = Call(request, self._bounds.retries)
        _say_who(request)
        with deadline.budget(self._bounds.total):
            pause: float | None = 0.0
            if self._bounds.limit:
                pause = await asyncio.to_thread(self._bounds.wait)
            while pause is not None:
                await asyncio.sleep(pause)
                call.begin()
                try:
                    response = await super().send(request, **options)
                except httpx2.TransportError as error:
                    if (pause := call.failed(error)) is None:
                        raise
                else:
                    if (pause := call.answered(response)) is not None:
                        await response.aclose()
        return response


def client(
    *,
    total: float = TOTAL,
    retries: int = RETRIES,
    limit: RateLimit | None = None,
    public_only: bool = False,
    **options: Any,
) -> Client:
    """A client for threads, to be made once and kept. `options` are httpx2's, `base_url` above all.

    `total` seconds for a call, `retries` at most, `limit` for what the host allows in a second.
    `public_only` is for a URL that a user gave: no address of this machine or this network is
    connected to, whatever its name says.

    No redirect is followed unless a call says so, and no proxy of the environment is used.
    """
    bounds = _Bounds(total, retries, limit)
    return Client(
        bounds,
        transport=_Transport(public_only=public_only),
        timeout=bounds.for_httpx2(),
        trust_env=False,
        **options,
    )


def async_client(
    *,
    total: float = TOTAL,
    retries: int = RETRIES,
    limit: RateLimit | None = None,
    public_only: bool = False,
    **options: Any,
) -> AsyncClient:
    """The same for coroutines of one event loop, to be closed by `async with` or `aclose()`."""
    bounds = _Bounds(total, retries, limit)
    return AsyncClient(
        bounds,
        transport=_AsyncTransport(public_only=public_only),
        timeout=bounds.for_httpx2(),
        trust_env=False,
        **options,
    )


def _say_who(request: httpx2.Request) -> None:
    """The service's name, and the id that ties the call to the request or the task behind it."""
    request.headers["User-Agent"] = f"{settings.SERVICE_NAME}/{settings.RELEASE}"
    if request_id := current_request_id():
        request.headers.setdefault("X-Request-ID", request_id)
