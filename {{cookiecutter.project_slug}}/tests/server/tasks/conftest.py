"""A worker that knows the tasks of tests/testapp, and the queue by which it gets them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from tests.broker import published, queue
from tests.server.conftest import StartRole
from tests.server.roles import Role

__all__ = ["published", "queue"]

StartWorker = Callable[..., AbstractContextManager[Role]]
TASKS = "tests.testapp.tasks"


@pytest.fixture
def start_worker(published: None, start_role: StartRole) -> StartWorker:
    """`start_worker(queues=…, processes=…, include=…)`, else as `start_role`."""

    def start(
        *,
        queues: str = "high,default,low",
        processes: int = 1,
        include: str = TASKS,
        **options: object,
    ) -> AbstractContextManager[Role]:
        arguments = ("--concurrency", str(processes), "--include", include)
        return start_role("worker", queues, *arguments, **options)

    return start
