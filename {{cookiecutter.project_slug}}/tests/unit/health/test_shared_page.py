"""The page of shared memory: what a forked process writes, the others read."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

import pytest

from core.health.state import SLOTS, THREADS, UNREACHABLE_AFTER, Page


def in_a_fork(run: Callable[[], None]) -> None:
    pid = os.fork()
    if pid == 0:
        try:
            run()
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
def test_a_fork_and_its_parent_see_each_other() -> None:
    page = Page()
    slot = page.slot(3)

    def child() -> None:
        page.reached = time.monotonic()
        slot.boot(threads=4)
        slot.begin()

    in_a_fork(child)

    assert page.unready() is None
    assert slot.booted
    assert slot.running == 1


def test_the_largest_instance_fits() -> None:
    last = Page().slot(SLOTS - 1)
    last.boot(THREADS)
    starts = [threading.Thread(target=last.begin) for _ in range(THREADS)]
    for thread in starts:
        thread.start()
    for thread in starts:
        thread.join()

    assert last.running == THREADS
    last.clear()
    assert not last.booted
    assert last.running == 0


def test_slots_do_not_overlap() -> None:
    page = Page()
    page.slot(0).boot(1)
    page.slot(0).begin()

    assert not page.slot(1).booted
    assert page.slot(1).running == 0
    assert (page.reached, page.asked, page.asker, page.draining) == (0, 0, 0, 0)


def test_readiness_lasts_15_s_beyond_the_last_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    page = Page()
    assert page.unready() == "the database has not answered yet"
    page.reached = now
    now += UNREACHABLE_AFTER
    assert page.unready() is None
    now += 0.1
    assert page.unready() == "the primary database has been out of reach for 15 s"
    page.reached = now
    assert page.unready() is None
    page.drain()
    assert page.unready() == "draining"


def test_a_worker_is_wedged_when_each_of_its_threads_is_busy_for_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    slot = Page().slot(0)
    slot.boot(threads=2)
    slot.begin()
    now += 100
    assert not slot.is_wedged(30)  # the other thread is free

    second = threading.Thread(target=slot.begin)
    second.start()
    second.join()
    now += 30
    assert not slot.is_wedged(30)
    now += 1
    assert slot.is_wedged(30)
    slot.end()
    assert not slot.is_wedged(30)


def test_a_thread_that_works_is_not_wedged_by_its_next_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    slot = Page().slot(0)
    slot.boot(threads=1)
    for _ in range(5):
        slot.begin()
        now += 20
        assert not slot.is_wedged(30)
        slot.end()


def test_a_process_without_request_threads_is_never_wedged() -> None:
    slot = Page().slot(0)
    slot.boot(threads=0)

    assert not slot.is_wedged(0)
