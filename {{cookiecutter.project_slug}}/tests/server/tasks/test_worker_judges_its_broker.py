"""A worker says at its start when the broker may delete what is queued."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from scripts.servers import Valkey
from tests.server.tasks.conftest import StartWorker
from tests.testapp.tasks import say

WARNING = "broker may delete tasks"


@pytest.fixture
def broker(broker_server: Valkey) -> Iterator[redis.Redis]:
    """The broker's own console; what it changed is changed back."""
    with redis.Redis.from_url(broker_server.url) as client:
        yield client
        client.config_set("maxmemory-policy", "noeviction")
        client.execute_command("ACL", "DELUSER", "worker")


@pytest.mark.parametrize("policy", ["noeviction", "allkeys-lru", "volatile-ttl"])
def test_every_policy_but_noeviction_is_an_error_line(
    policy: str, broker: redis.Redis, start_worker: StartWorker
) -> None:
    broker.config_set("maxmemory-policy", policy)
    with start_worker() as worker:
        say.delay("hello")
        worker.wait_for_line("said")
    told = [line["maxmemory_policy"] for line in worker.logs if line["message"] == WARNING]
    assert told == ([] if policy == "noeviction" else [policy])


def test_a_broker_that_does_not_tell_is_worked_for_without_a_word(
    broker: redis.Redis, broker_server: Valkey, start_worker: StartWorker
) -> None:
    broker.config_set("maxmemory-policy", "allkeys-lru")
    broker.acl_setuser(
        "worker",
        enabled=True,
        passwords=["+secret"],
        keys=["*"],
        channels=["*"],
        categories=["+@all"],
        commands=["-info", "-config"],
    )
    url = broker_server.url.replace("//", "//worker:secret@")
    with start_worker(env={"BROKER_URL": url}) as worker:
        say.delay("hello")
        worker.wait_for_line("said")
    assert {line["level"] for line in worker.logs} <= {"info", "warning"}
    assert not any(line["message"] == WARNING for line in worker.logs)
