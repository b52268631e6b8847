"""As for the outbox, with BROKER_URL naming RabbitMQ."""

from __future__ import annotations

import pytest

from scripts.servers import RabbitMQ
from tests.server.conftest import StartRole
from tests.server.outbox.conftest import ask, effects, send
from tests.server.tasks.conftest import TASKS, StartWorker

__all__ = ["ask", "effects", "send"]


@pytest.fixture
def production_env(production_env: dict[str, str], rabbitmq_server: RabbitMQ) -> dict[str, str]:
    rabbitmq_server.purge("high", "default", "low")
    return {**production_env, "BROKER_URL": rabbitmq_server.url}


@pytest.fixture
def start_worker(start_role: StartRole) -> StartWorker:
    def start(*, queues: str = "high,default,low", processes: int = 1, **options: object):
        arguments = ("--concurrency", str(processes), "--include", TASKS)
        return start_role("worker", queues, *arguments, **options)

    return start
