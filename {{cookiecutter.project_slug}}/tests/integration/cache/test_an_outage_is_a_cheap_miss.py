"""Every operation of the cache while its server is killed or frozen, and after its return."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.cache import cache, caches

from core import deadline
from scripts.servers import Valkey
from tests.logged import logged

OPERATIONS: dict[str, tuple[Callable[[], Any], Any]] = {
    "get": (lambda: cache.get("k", "default"), "default"),
    "get_many": (lambda: cache.get_many(["k"]), {}),
    "set": (lambda: cache.set("k", 1), None),
    "set_many": (lambda: cache.set_many({"k": 1}), None),
    "add": (lambda: cache.add("k", 1), None),
    "get_or_set": (lambda: cache.get_or_set("k", "computed"), "computed"),
    "touch": (lambda: cache.touch("k", 5), None),
    "expire": (lambda: cache.expire("k", 5), None),
    "ttl": (lambda: cache.ttl("k"), None),
    "incr": (lambda: cache.incr("k"), None),
    "has_key": (lambda: cache.has_key("k"), None),
    "delete": (lambda: cache.delete("k"), None),
    "delete_many": (lambda: cache.delete_many(["k"]), None),
    "clear": (lambda: cache.clear(), None),
    "aget": (lambda: async_to_sync(cache.aget)("k", "default"), "default"),
}


def breaker() -> Any:
    return caches["default"].breaker


@pytest.fixture(params=["killed", "frozen"])
def away(request: pytest.FixtureRequest, cache_server: Valkey) -> Callable[[], object]:
    """The cache has just gone; the result brings it back."""
    cache.set("k", "kept")
    if request.param == "killed":
        cache_server.kill()
        return cache_server.start
    cache_server.freeze()
    return cache_server.thaw


@pytest.mark.usefixtures("away")
def test_every_operation_is_a_miss() -> None:
    while not breaker().is_open:
        assert cache.get("k") is None
    assert {name: call() for name, (call, _) in OPERATIONS.items()} == {
        name: miss for name, (_, miss) in OPERATIONS.items()
    }


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_is_a_miss_before_the_breaker_opens(
    name: str, cache_server: Valkey
) -> None:
    call, miss = OPERATIONS[name]
    cache_server.kill()
    assert call() == miss
    assert breaker().failures > 0


@pytest.mark.usefixtures("away")
def test_an_open_breaker_makes_a_miss_cost_no_time() -> None:
    while not breaker().is_open:
        cache.get("k")
    seconds = []
    for _ in range(200):
        started = time.perf_counter()
        cache.get("k")
        seconds.append(time.perf_counter() - started)
    assert median(seconds) < 0.001


def test_threads_of_a_process_pay_for_a_frozen_cache_once(cache_server: Valkey) -> None:
    cache.set("k", 1)
    cache_server.freeze()

    def read_ten_times(_: int) -> float:
        started = time.monotonic()
        for _number in range(10):
            cache.get("k")
        return time.monotonic() - started

    with ThreadPoolExecutor(8) as threads:
        seconds = list(threads.map(read_ten_times, range(8)))
    # One timeout of 0.5 s each, side by side; without the breaker ten of them.
    assert median(seconds) < 1.5
    assert breaker().openings >= 1


def test_it_is_used_again_when_it_is_back_and_the_log_says_when(
    away: Callable[[], object],
) -> None:
    with logged() as lines:
        while not breaker().is_open:
            cache.get("k")
        for _ in range(100):
            cache.get("k")
        away()
        deadline = time.monotonic() + 5
        while breaker().is_open:
            assert time.monotonic() < deadline, "5 s after its return it is not used"
            time.sleep(0.02)
        cache.set("k", "new")
        assert cache.get("k") == "new"
    told = [line["message"] for line in lines.json]
    assert told.count("cache breaker opened") == told.count("cache breaker closed") == 1
    # The failures before it opened, held back to one a second; none of the hundred after.
    assert len(told) <= 5, told


def test_a_request_whose_time_is_up_asks_no_cache() -> None:
    cache.set("late", 1, timeout=60)
    with deadline.budget(0):
        assert cache.get("late") is None
        assert cache.get_many(["late"]) == {}
        cache.set("late", 2, timeout=60)
    assert cache.get("late") == 1
