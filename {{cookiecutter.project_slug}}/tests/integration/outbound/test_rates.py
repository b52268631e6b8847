"""A limit of calls holds for all processes together, by the cache's clock."""

from __future__ import annotations

import subprocess
import sys
import time
from uuid import uuid4

import pytest

from core import outbound
from core.outbound.rates import RateLimit, RateLimitedError
from scripts.servers import Valkey
from tests.partner import Partner
from tests.stack import BASE_DIR

# A process that takes places for a while and says how many it got.
TAKER = """
import sys, time
from core.outbound.rates import RateLimit, RateLimitedError
limit, taken = RateLimit(sys.argv[1], rate=20, burst=5), 0
RateLimit(sys.argv[1] + "-of-its-own", rate=1_000).turn(1)  # connects
print("ready", flush=True)
sys.stdin.readline()
ends = time.monotonic() + 2
while time.monotonic() < ends:
    try:
        limit.turn()
        taken += 1
    except RateLimitedError as error:
        time.sleep(min(error.seconds, 0.05))
print(taken)
"""


def named() -> str:
    return f"partner-{uuid4()}"


def test_three_processes_together_keep_to_it() -> None:
    command = [sys.executable, "-c", TAKER, named()]
    takers = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=BASE_DIR
        )
        for _ in range(3)
    ]
    for taker in takers:
        assert taker.stdout
        assert taker.stdout.readline() == "ready\n"
    for taker in takers:
        assert taker.stdin
        taker.stdin.write("go\n")
        taker.stdin.flush()
    taken = [int(taker.communicate()[0]) for taker in takers]
    # 20 a second for 2 s and the burst of 5; one more second for a start that was not together.
    assert 20 <= sum(taken) <= 20 * 3 + 5


def test_who_finds_no_place_is_told_how_long_and_takes_none() -> None:
    limit = RateLimit(named(), rate=2, burst=1)
    assert limit.turn() == 0
    for _ in range(3):
        with pytest.raises(RateLimitedError, match="used up") as refused:
            limit.turn()
        assert 0.3 < refused.value.seconds <= 0.5


def test_who_waits_has_a_place_of_his_own() -> None:
    limit = RateLimit(named(), rate=10, burst=1)
    waits = [limit.turn(patience=5) for _ in range(4)]
    assert waits == sorted(waits)
    assert waits[0] == 0
    assert 0.25 < waits[3] <= 0.3


def test_a_call_waits_for_its_turn_within_its_time(partner: Partner) -> None:
    limit = RateLimit(named(), rate=4, burst=1)
    with outbound.client(base_url=partner.url, limit=limit, total=1.0) as client:
        client.get("/ok")
        began = time.monotonic()
        client.get("/ok")
        assert time.monotonic() - began > 0.2
    with (
        outbound.client(base_url=partner.url, limit=limit, total=0.1) as client,
        pytest.raises(RateLimitedError),
    ):
        client.get("/ok")
    assert len(partner.seen) == 2


def test_nobody_calls_while_the_cache_is_away(cache_server: Valkey, partner: Partner) -> None:
    limit = RateLimit(named(), rate=100)
    cache_server.kill()
    with (
        outbound.client(base_url=partner.url, limit=limit) as client,
        pytest.raises(RateLimitedError) as refused,
    ):
        client.get("/ok")
    assert refused.value.seconds == 1.0
    assert partner.seen == []
