"""Ours must keep every bound; a control must break the one that its drill is about."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

from drills.report import Figures, verdict
from tests.stack import BASE_DIR

STORY = SimpleNamespace(
    INJECTED="a fault", NAIVE="as in a tutorial", BITES="lost", BOUNDS={"failed": 2, "median_ms": 9}
)
GOOD = Figures(
    drill="D-99",
    requests=100,
    failed=2,
    failed_after_heal=0,
    recovery_s=1.5,
    median_ms=None,
    worst_ms=900,
    livez_fail=0,
    readyz_flip_s=None,
    lost=0,
    dup=0,
)


def test_ours_passes_within_its_bounds() -> None:
    assert verdict(STORY, GOOD, is_control=False) == (True, "D-99: every bound holds")


def test_ours_fails_for_any_figure_above_its_bound_and_says_which() -> None:
    for name, told in (
        ("failed", "3 failed (bound 2)"),
        ("lost", "1 lost (bound 0)"),
        ("dup", "1 dup (bound 0)"),
        ("livez_fail", "1 livez_fail (bound 0)"),
        ("failed_after_heal", "1 failed_after_heal (bound 0)"),
        ("median_ms", "10 median_ms (bound 9)"),
    ):
        value = int(told.split()[0])
        bad = replace(GOOD, **{name: value})  # type: ignore[arg-type]
        assert verdict(STORY, bad, is_control=False) == (False, f"D-99: {told}")


def test_a_control_passes_when_it_breaks_what_the_drill_is_about() -> None:
    passed, told = verdict(STORY, replace(GOOD, lost=37), is_control=True)
    assert passed
    assert told == "D-99 control (as in a tutorial): 37 lost (bound 0), as expected"


def test_a_control_that_breaks_nothing_or_something_else_fails() -> None:
    for figures in (GOOD, replace(GOOD, failed=50)):
        passed, told = verdict(STORY, figures, is_control=True)
        assert not passed
        assert "does not bite" in told


def test_the_line_is_json_with_the_figures_and_the_verdict() -> None:
    line = json.loads(GOOD.line(passed=True))
    assert line["drill"] == "D-99"
    assert line["lost"] == 0
    assert line["passed"] is True


def test_a_number_that_is_no_drill_is_told_which_there_are() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "drills", "99"],
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "there is no drill 99; there are 01, " in done.stderr
    assert "Traceback" not in done.stderr
