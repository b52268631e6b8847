"""Of those who wait for a host to return, one asks it."""

from __future__ import annotations

import time

import pytest

from core.outbound.breaker import Breaker, CircuitOpenError

PAUSE = 0.1


def opened() -> Breaker:
    breaker = Breaker("partner", failures=2, pause=PAUSE)
    breaker.failed()
    breaker.check()
    breaker.failed()
    return breaker


def test_after_a_pause_one_is_let_through_and_the_others_wait_for_what_he_finds() -> None:
    breaker = opened()
    time.sleep(PAUSE)
    breaker.check()
    with pytest.raises(CircuitOpenError):
        breaker.check()
    breaker.succeeded()
    breaker.check()
    breaker.check()


def test_a_trial_that_never_tells_how_it_ended_is_followed_by_another() -> None:
    breaker = opened()
    for _ in range(2):
        time.sleep(PAUSE)
        breaker.check()


def test_failures_with_successes_between_them_are_no_outage() -> None:
    breaker = Breaker("partner", failures=2, pause=PAUSE)
    for _ in range(3):
        breaker.failed()
        breaker.succeeded()
    assert not breaker.is_open
