"""The servers of scripts/servers start, freeze, die, and are never left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from scripts.servers import THROW_AWAY, Postgres, ServerError, Stack, Valkey, guardian, wheel
from tests.stack import BASE_DIR, clean_environment

WITH_SERVERS = [sys.executable, "-m", "scripts.with_servers"]


def with_servers(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*WITH_SERVERS, *arguments],
        env=clean_environment(),
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_command_finds_its_servers_and_its_exit_code_is_handed_on() -> None:
    done = with_servers("--migrate", "--", "python", "manage.py", "migrate", "--check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert with_servers("--", "sh", "-c", "exit 7").returncode == 7


def test_servers_of_an_owner_that_was_killed_are_stopped() -> None:
    owner = subprocess.Popen(
        [*WITH_SERVERS, "--", "sh", "-c", "echo started; read _"],  # ends when we close its stdin
        env=clean_environment(),
        cwd=BASE_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with owner:
        assert owner.stdout
        assert owner.stdout.readline() == "started\n"
        members = guardian.tree(owner.pid)
        assert len(members) > 6  # owner, command, guardian, cache, broker, PostgreSQL with its own
        owner.kill()
    assert guardian.gone(members, 15), guardian.still(members)


def test_a_frozen_server_does_not_answer_until_it_is_thawed(tmp_path: Path) -> None:
    with (
        Postgres(tmp_path, settings=THROW_AWAY) as postgres,
        psycopg.connect(postgres.url(), autocommit=True) as session,
    ):
        postgres.freeze()
        with pytest.raises(psycopg.errors.ConnectionTimeout):
            psycopg.connect(postgres.url(), connect_timeout=2)
        postgres.thaw()
        assert session.execute("SELECT 1").fetchone() == (1,)


def test_the_broker_keeps_its_queue_when_it_is_killed(tmp_path: Path) -> None:
    import redis

    with Valkey(tmp_path, "broker") as broker:
        client = redis.Redis.from_url(broker.url)
        client.rpush("queue", "task")
        broker.kill()
        broker.start()
        assert client.llen("queue") == 1
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        client.close()


def test_the_cache_evicts_and_the_broker_does_not(servers: Stack) -> None:
    import redis

    policies = {}
    for server in (servers.cache, servers.broker):
        assert server
        with redis.Redis.from_url(server.url) as client:
            policies[server.role] = client.config_get("maxmemory-policy")["maxmemory-policy"]
    assert policies == {"cache": "allkeys-lru", "broker": "noeviction"}


def test_data_of_another_major_version_is_refused_in_one_sentence(tmp_path: Path) -> None:
    Postgres(tmp_path, settings=THROW_AWAY, programs=wheel(16)).start().stop()
    with pytest.raises(ServerError, match="was made by PostgreSQL 16 and this is 18"):
        Postgres(tmp_path, settings=THROW_AWAY, programs=wheel(18)).start()
