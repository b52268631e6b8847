"""Many clients at once, each on a TCP connection of its own, as a proxy's are."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass

from scripts.servers import HOST

PATIENCE = 40.0  # seconds; the load balancer's
# As a proxy sends it: over plain HTTP, saying that the client came by HTTPS.
_REQUEST = "GET {path} HTTP/1.1\r\nHost: service.test\r\nX-Forwarded-Proto: https\r\n\r\n"


@dataclass(frozen=True)
class Answer:
    """The status, or the error in words. All in seconds; `started` on the monotonic clock."""

    status: int | str
    started: float
    connecting: float  # until the kernel of the server took the connection
    seconds: float  # until the last byte


async def ask(port: int, path: str) -> Answer:
    """One request, from connecting to the end of the connection; never raises."""
    started = time.monotonic()
    connecting = PATIENCE
    status: int | str
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(HOST, port)
            connecting = time.monotonic() - started
            try:
                writer.write(_REQUEST.format(path=path).encode())
                status = int((await reader.read()).split(maxsplit=2)[1])
            finally:
                writer.close()
    except (OSError, ValueError, IndexError) as error:  # TimeoutError is an OSError
        status = repr(error)
    return Answer(status, started, connecting, time.monotonic() - started)


async def crowd(port: int, path: str, *, clients: int, each: int = 1) -> list[Answer]:
    """`clients` begin at the same moment; each asks again when it has its answer."""

    async def client() -> list[Answer]:
        return [await ask(port, path) for _ in range(each)]

    answers = await asyncio.gather(*(client() for _ in range(clients)))
    return [answer for many in answers for answer in many]


def statuses(answers: list[Answer]) -> Counter[int | str]:
    return Counter(answer.status for answer in answers)
