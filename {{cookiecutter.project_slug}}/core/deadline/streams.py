"""The bounds of an ASGI process: how many requests at a time, how silent and how long a stream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from time import monotonic
from typing import Any

import structlog

_logger = structlog.get_logger("streams")

type _Application = Callable[[Any, Any, Any], Awaitable[None]]

# Seconds after which a client that was refused may come back.
RETRY_AFTER = 5
# Seconds between two lines about refusals, of which an overload brings thousands.
_INTERVAL = 1.0


class Streams:
    """An ASGI application in front of Django's: admission, and an end for what has none.

    `most` requests run at a time; the next one is answered 503 at once. Weighed: uvicorn's
    `--limit-concurrency` counts idle connections, and refuses probes too. `start` seconds may pass
    until a response starts (a body that arrives slowly is in nobody's budget), then `idle` seconds
    between two parts, and `total` in all. A client that does not read is idle, too.

    What is over its time sees its client leave: that is the one way out on which Django gives its
    database connection back. (A cancelled handler never sends `request_finished`.)
    """

    def __init__(
        self, application: _Application, *, most: int, start: float, idle: float, total: float
    ) -> None:
        self._application = application
        self._most = most
        self._start, self._idle, self._total = start, idle, total
        self._running = 0  # changed in the event loop only
        self._refused, self._told = 0, 0.0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        if self._running >= self._most:
            self._tell_refusal()
            text = "The service is busy; try again in a few seconds."
            await _problem(send, HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", text)
            return
        self._running += 1
        bounds = _Bounds(receive, send, self._start, self._idle, self._total)
        try:
            await self._application(scope, bounds.receive, bounds.send)
        finally:
            self._running -= 1
        if bounds.expired:
            await self._finish(scope, bounds, send)

    async def _finish(self, scope: Any, bounds: _Bounds, send: Any) -> None:
        if not bounds.started:
            text = "The request took too long to arrive."
            await _problem(send, HTTPStatus.REQUEST_TIMEOUT, "timeout", text)
        elif not bounds.ended:
            is_old = asyncio.get_running_loop().time() >= bounds.ends
            reason = f"longer than {self._total:g} s" if is_old else f"idle for {self._idle:g} s"
            _logger.warning("stream ended", path=scope["path"], reason=reason)
            if is_old and not bounds.sending:
                # An orderly end: the client connects again. The other one is cut off, which tells
                # a client that something is missing.
                await send({"type": "http.response.body", "body": b""})

    def _tell_refusal(self) -> None:
        self._refused += 1
        if (now := monotonic()) - self._told >= _INTERVAL:
            _logger.warning("refused, too many at a time", most=self._most, refused=self._refused)
            self._refused, self._told = 0, now


class _Bounds:
    """The two halves of one request's conversation with its server, with an end."""

    def __init__(self, receive: Any, send: Any, start: float, idle: float, total: float) -> None:
        now = asyncio.get_running_loop().time()
        self._receive, self._send = receive, send
        self._idle, self._when = idle, now + start
        self._waiting: asyncio.Timeout | None = None
        self.ends = now + total
        self.started = self.ended = self.sending = self.expired = False

    async def receive(self) -> Any:
        try:
            # Entered once the body is read, until the response is complete.
            async with asyncio.timeout_at(self._when) as self._waiting:
                return await self._receive()
        except TimeoutError:
            self.expired = True
            return {"type": "http.disconnect"}
        finally:
            self._waiting = None

    async def send(self, message: Any) -> None:
        self._when = min(asyncio.get_running_loop().time() + self._idle, self.ends)
        if self._waiting is not None and not self._waiting.expired():
            self._waiting.reschedule(self._when)
        self.started = self.sending = True
        await self._send(message)
        self.sending = False
        self.ended = message["type"] == "http.response.body" and not message.get("more_body")


async def _problem(send: Any, status: HTTPStatus, code: str, detail: str) -> None:
    body = json.dumps(
        {
            "type": "about:blank",
            "title": status.phrase,
            "status": status.value,
            "detail": detail,
            "code": code,
        }
    ).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"connection", b"close"),
    ]
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append((b"retry-after", str(RETRY_AFTER).encode()))
    await send({"type": "http.response.start", "status": status.value, "headers": headers})
    await send({"type": "http.response.body", "body": body})
