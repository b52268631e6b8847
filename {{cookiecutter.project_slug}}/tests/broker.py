"""Tasks that are really published, to look at in the broker or to be run by a worker."""

from __future__ import annotations

import json
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from kombu.pools import reset

from config.celery import app
from core.tasks import publishing
from scripts.servers import Valkey


class Queue:
    """What waits in one queue of the broker."""

    def __init__(self, url: str, name: str) -> None:
        self._client = redis.Redis.from_url(url)
        self._name = name

    @property
    def messages(self) -> list[dict[str, Any]]:
        """Headers and arguments, the oldest first."""
        found = []
        for raw in reversed(self._client.lrange(self._name, 0, -1)):
            message = json.loads(raw)
            args = json.loads(b64decode(message["body"]))[0]
            found.append({**message["headers"], "args": args})
        return found

    @property
    def waiting(self) -> int:
        """How many messages it holds, for a queue too long to read."""
        return int(self._client.llen(self._name))

    @property
    def in_hand(self) -> int:
        """Messages of any queue that a worker has taken and not acknowledged."""
        return int(self._client.hlen("unacked"))

    @property
    def words(self) -> list[Any]:
        return [message["args"][0] for message in self.messages]

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch, broker_server: Valkey) -> Iterator[None]:
    """Tasks go to the broker, by a process that has published nothing yet."""
    monkeypatch.setitem(app.conf, "task_always_eager", False)
    monkeypatch.setattr(publishing, "failures", Counter())
    _forget_connections()
    yield
    _forget_connections()


@pytest.fixture
def queue(published: None, broker_server: Valkey) -> Iterator[Queue]:
    """The queue `default`; tasks are published while a test has it."""
    queue = Queue(broker_server.url, "default")
    yield queue
    queue.close()


def _forget_connections() -> None:
    publishing.breaker.succeeded()
    reset()
    app._after_fork()
