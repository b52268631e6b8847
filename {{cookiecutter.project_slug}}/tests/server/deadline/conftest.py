"""`start_streams(env=None)` runs tests/testapp/streams.py as the asgi role is run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.server.roles import START_TIMEOUT, Running
from tests.server.test_probes import status

StartStreams = Callable[..., AbstractContextManager[Running]]


@pytest.fixture
def start_streams(production_env: dict[str, str]) -> StartStreams:
    @contextmanager
    def start(env: Mapping[str, str] | None = None) -> Iterator[Running]:
        command = [sys.executable, "-m", "tests.testapp.streams"]
        role = Running("asgi", command, {**production_env, **(env or {})})
        role.start()
        try:
            role.wait_until(role.answers, START_TIMEOUT)
            role.wait_until(lambda: status(role, "/readyz") == 200, 10)
            yield role
        finally:
            role.stop()

    return start
