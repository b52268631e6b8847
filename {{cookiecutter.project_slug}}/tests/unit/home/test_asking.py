"""Several questions at once, and never a longer wait than was said."""

from __future__ import annotations

import threading
import time

from apps.home.asking import ask_all


def test_the_answers_of_all_come_side_by_side() -> None:
    both = threading.Barrier(2, timeout=5)
    found = ask_all({"one": both.wait, "other": both.wait}, 5)
    assert set(found.values()) == {0, 1}


def test_an_error_is_an_answer() -> None:
    def fail() -> int:
        raise ValueError("why")

    found = ask_all({"fail": fail, "fine": lambda: 1}, 5)
    assert isinstance(found["fail"], ValueError)
    assert found["fine"] == 1


def test_a_question_that_hangs_costs_its_limit_once_and_one_thread_for_ever() -> None:
    answers = threading.Event()
    asked = []

    def hang() -> str:
        asked.append(threading.current_thread())
        answers.wait(10)
        return "at last"

    began = time.monotonic()
    for _ in range(3):
        found = ask_all({"hang": hang}, 0.1)
        assert isinstance(found["hang"], TimeoutError)
    assert time.monotonic() - began < 2
    assert [thread.daemon for thread in asked] == [True]

    answers.set()
    asked[0].join(5)
    assert ask_all({"hang": lambda: "again"}, 5) == {"hang": "again"}
