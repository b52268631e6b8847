"""Guessing passwords of a deployed service: gunicorn, production settings, PgBouncer."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from subprocess import CompletedProcess

import pytest

from scripts.servers import Stack, Valkey
from tests.factories import PASSWORD
from tests.server.conftest import DATABASE, StartRole
from tests.server.users.caller import Caller

_numbers = count(1)
Manage = Callable[..., CompletedProcess[str]]
SEED = """
from apps.users.models import User
User.objects.create_user({email!r}, {password!r})
"""


@pytest.fixture
def victim(manage: Manage) -> str:
    email = f"victim{next(_numbers)}@example.org"
    seeded = manage("shell", "-c", SEED.format(email=email, password=PASSWORD))
    assert seeded.returncode == 0, seeded.stderr
    return email


@pytest.fixture
def addresses() -> tuple[str, str]:
    """Of the thief and of the owner; each test has its own, for the database is not emptied."""
    number = next(_numbers)
    return f"192.0.2.{number}", f"198.51.100.{number}"


def guess_forty_times(thief: Caller, victim: str) -> list[int]:
    return [thief.log_in(victim, f"guess number {n}").status for n in range(40)]


def test_forty_wrong_passwords_are_ten_and_the_right_one_works_elsewhere(
    start_role: StartRole, victim: str, addresses: tuple[str, str], servers: Stack
) -> None:
    with start_role("web") as web:
        thief = Caller(web, addresses[0])
        statuses = guess_forty_times(thief, victim)
        assert statuses[10:] == [429] * 30
        assert 429 not in statuses[:10]
        refused = thief.log_in(victim, PASSWORD)
        assert (refused.status, refused.headers["Content-Type"]) == (
            429,
            "application/problem+json",
        )
        assert 800 < int(refused.headers["Retry-After"]) <= 900
        assert Caller(web, addresses[1]).log_in(victim, PASSWORD).status == 200

        assert servers.postgres
        servers.postgres.psql(
            "UPDATE core_lockout_counter SET expires_at = expires_at - interval '15 minutes'",
            role="app",
            database=DATABASE,
        )
        assert thief.log_in(victim, PASSWORD).status == 200


def test_a_dead_cache_lets_nobody_guess_and_everybody_in(
    start_role: StartRole, victim: str, addresses: tuple[str, str], cache_server: Valkey
) -> None:
    with start_role("web") as web:
        thief = Caller(web, addresses[0])
        cache_server.kill()
        assert guess_forty_times(thief, victim)[10:] == [429] * 30
        assert thief.log_in(victim, PASSWORD).status == 429
        assert Caller(web, addresses[1]).log_in(victim, PASSWORD).status == 200


def test_forty_wrong_passwords_at_once_over_all_workers_are_ten_too(
    start_role: StartRole, victim: str, addresses: tuple[str, str]
) -> None:
    with start_role("web") as web, ThreadPoolExecutor(40) as pool:
        callers = [Caller(web, addresses[0]) for _ in range(40)]
        statuses = list(pool.map(lambda caller: caller.log_in(victim, "guess").status, callers))
    assert statuses.count(429) == 30
