from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from asgiref.sync import async_to_sync

from core import outbound
from core.outbound import calls
from tests.partner import Partner

Ask = Callable[..., httpx2.Response]


@pytest.fixture(autouse=True)
def _strangers() -> None:
    """No host is known from the test before: ports are given again."""
    calls.host.cache_clear()


@pytest.fixture
def partner() -> Iterator[Partner]:
    with Partner().running() as started:
        yield started


@pytest.fixture(params=["thread", "coroutine"])
def ask(request: pytest.FixtureRequest, partner: Partner) -> Ask:
    """`ask("GET", "/path", total=…)` by a client of each kind, and its answer."""

    def by_thread(method: str, path: str, **options: Any) -> httpx2.Response:
        sent = {name: options.pop(name) for name in ("content", "headers") if name in options}
        with outbound.client(base_url=partner.url, **options) as client:
            return client.request(method, path, **sent)

    async def by_coroutine(method: str, path: str, **options: Any) -> httpx2.Response:
        sent = {name: options.pop(name) for name in ("content", "headers") if name in options}
        async with outbound.async_client(base_url=partner.url, **options) as client:
            return await client.request(method, path, **sent)

    return by_thread if request.param == "thread" else async_to_sync(by_coroutine)
