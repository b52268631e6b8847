"""Probes on the ASGI port, and an event loop that shows that it turns."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from core.probes.answers import HEARTBEAT, Probes
from core.probes.management import PortUnavailableError

type Scope = MutableMapping[str, Any]
type Message = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
# Servers and frameworks disagree on the mappings of a scope, so its types stay open.
type Application = Callable[[Any, Any, Any], Awaitable[None]]


class Lifecycle(Protocol):
    """What runs beside the event loop, from its start to its end."""

    def start(self) -> None: ...
    def tick(self) -> None: ...
    def request(self) -> AbstractContextManager[None]: ...
    def stop(self) -> None: ...


# Seconds between two ticks of the loop.
TICK = 0.5


class ProbesMiddleware:
    """An ASGI application that answers probes and the lifespan, and passes the rest on.

    Django refuses the lifespan protocol, so starting and stopping `beside` is done here.
    """

    def __init__(self, application: Application, probes: Probes, beside: Lifecycle) -> None:
        self._application = application
        self._probes = probes
        self._beside = beside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http" and (answers := self._probes.find(scope["path"])):
            waits = scope["path"] == HEARTBEAT
            answer = await asyncio.to_thread(answers) if waits else answers()
            headers = [(k.lower().encode(), v.encode()) for k, v in answer.headers]
            await send(
                {"type": "http.response.start", "status": answer.status.value, "headers": headers}
            )
            body = b"" if scope["method"] == "HEAD" else answer.body
            await send({"type": "http.response.body", "body": body})
        else:
            with self._beside.request():
                await self._application(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()  # lifespan.startup
        try:
            self._beside.start()
        except PortUnavailableError as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        ticking = asyncio.create_task(self._tick())
        await send({"type": "lifespan.startup.complete"})
        await receive()  # lifespan.shutdown
        ticking.cancel()
        self._beside.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _tick(self) -> None:
        while True:
            self._beside.tick()
            await asyncio.sleep(TICK)
