"""The breaker in front of the broker."""

from __future__ import annotations

import pytest

from core.tasks import publishing
from core.tasks.publishing import Breaker


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(publishing, "time", clock)
    return clock


@pytest.fixture
def breaker() -> Breaker:
    return Breaker(pause=5.0, slow=0.05)


def fail(breaker: Breaker, clock: Clock, seconds: float) -> None:
    started = clock.now
    clock.now += seconds
    breaker.failed(started)


def test_a_slow_failure_closes_the_way_for_the_pause(breaker: Breaker, clock: Clock) -> None:
    assert breaker.allows()
    fail(breaker, clock, 0.2)
    assert not breaker.allows()
    clock.now += 4.9
    assert not breaker.allows()
    clock.now += 0.2
    assert breaker.allows()


def test_a_failure_that_costs_nothing_does_not(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, clock, 0.001)
    assert breaker.allows()


def test_after_the_pause_one_tries_and_the_others_pass_by(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, clock, 0.2)
    clock.now += 5.1
    assert [breaker.allows() for _ in range(3)] == [True, False, False]


def test_a_success_opens_the_way_for_all(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, clock, 0.2)
    clock.now += 5.1
    assert breaker.allows()
    breaker.succeeded()
    assert [breaker.allows() for _ in range(3)] == [True, True, True]


def test_the_bounds_of_one_attempt_add_up_to_what_a_request_may_pay() -> None:
    options = publishing.OPTIONS
    assert options["socket_connect_timeout"] + options["socket_timeout"] <= 0.3 + 1e-9
    assert publishing.CONNECT_TIMEOUT + options["read_timeout"] <= 0.3 + 1e-9
    assert options["max_retries"] == 0
