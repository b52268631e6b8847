"""The probes in front of Django, without Django."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import Any
from wsgiref.util import setup_testing_defaults

from core.probes.answers import Probes
from core.probes.asgi import ProbesMiddleware as AsgiProbes
from core.probes.wsgi import ProbesMiddleware as WsgiProbes

PROBES = Probes(
    version={"version": "r1"},
    unready=lambda: "draining",
    heartbeat=lambda: (False, "cache"),
)


class Beside:
    """Nothing runs beside."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def start(self) -> None:
        self.calls.append("start")

    def tick(self) -> None:
        if "tick" not in self.calls:
            self.calls.append("tick")

    def stop(self) -> None:
        self.calls.append("stop")

    def request(self) -> nullcontext[None]:
        return nullcontext()


def over_wsgi(path: str, method: str = "GET") -> tuple[str, bytes]:
    answered: list[str] = []

    def django(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"django"]

    environ = {"PATH_INFO": path, "REQUEST_METHOD": method}
    setup_testing_defaults(environ)

    def start_response(status: str, *_: Any) -> Any:
        answered.append(status)

    body = WsgiProbes(django, PROBES)(environ, start_response)
    return answered[0], b"".join(body)


def over_asgi(path: str, method: str = "GET") -> tuple[int, bytes]:
    sent: list[Any] = []

    async def django(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"django"})

    async def send(message: Any) -> None:
        sent.append(message)

    application = AsgiProbes(django, PROBES, Beside())
    scope = {"type": "http", "path": path, "method": method}
    asyncio.run(application(scope, None, send))  # type: ignore[arg-type]
    return sent[0]["status"], sent[1]["body"]


def test_a_probe_never_reaches_django() -> None:
    assert over_wsgi("/livez") == ("200 OK", b"ok\n")
    assert over_wsgi("/readyz") == ("503 Service Unavailable", b"draining\n")
    assert over_wsgi("/readyz", "HEAD") == ("503 Service Unavailable", b"")
    assert over_asgi("/livez") == (200, b"ok\n")
    assert over_asgi("/readyz") == (503, b"draining\n")
    assert over_asgi("/readyz", "HEAD") == (503, b"")
    assert over_asgi("/__heartbeat__") == (500, b'"cache"')


def test_everything_else_does() -> None:
    for path in ("/", "/livez/", "//livez", "/LIVEZ", "/metrics"):
        assert over_wsgi(path) == ("200 OK", b"django")
        assert over_asgi(path) == (200, b"django")


def test_the_lifespan_starts_and_stops_what_runs_beside_the_loop() -> None:
    beside = Beside()
    sent: list[str] = []

    async def run() -> None:
        async def receive() -> dict[str, str]:
            await asyncio.sleep(0)  # the loop turns once
            return {}

        async def send(message: Any) -> None:
            sent.append(message["type"])

        await AsgiProbes(None, PROBES, beside)({"type": "lifespan"}, receive, send)  # type: ignore[arg-type]

    asyncio.run(run())

    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert beside.calls == ["start", "tick", "stop"]
