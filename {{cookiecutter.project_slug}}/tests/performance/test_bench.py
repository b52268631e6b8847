"""`make bench` measures what it says it measures."""

from __future__ import annotations

import re
import subprocess
from functools import cache

import pytest

from config.settings import base
from tests.stack import BASE_DIR, STACK, clean_environment, program
from tests.testapp.busy import MICROSECONDS

BUSY = "tests.testapp.busy.BusyMiddleware"
CELL = r" +(-?[\d.]+) \(-?[\d.]+ to -?[\d.]+\)"
ROW = re.compile(rf"^(\S.*?){CELL}{CELL}$", re.MULTILINE)


@cache
def quick_bench() -> dict[str, tuple[float, float]]:
    """What each row of the table says: medians in microseconds, static JSON and one query."""
    done = subprocess.run(
        [program("python"), "-m", "scripts.bench", "--quick", "--with", BUSY],
        cwd=BASE_DIR,
        env=clean_environment(**STACK.variables),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return {name: (float(static), float(query)) for name, static, query in ROW.findall(done.stdout)}


@pytest.mark.usefixtures("servers")
def test_every_middleware_has_a_row_and_the_whole_stack_and_the_bare_request_too() -> None:
    rows = ["all of them", "a request without any"]
    assert list(quick_bench()) == [*base.MIDDLEWARE, BUSY, *rows]


@pytest.mark.usefixtures("servers")
def test_the_whole_stack_costs_more_than_the_slow_one_in_it() -> None:
    table = quick_bench()
    assert min(table["all of them"]) > MICROSECONDS
    assert min(table["a request without any"]) > 0


@pytest.mark.usefixtures("servers")
def test_a_middleware_that_takes_100_us_is_said_to_take_70_to_130() -> None:
    # Processor caches that others fill add to a request that waits for a query: three tries.
    found = []
    while not found or found[-1] != pytest.approx((MICROSECONDS, MICROSECONDS), rel=0.3):
        assert len(found) < 3, found
        found.append(quick_bench()[BUSY])
        quick_bench.cache_clear()
