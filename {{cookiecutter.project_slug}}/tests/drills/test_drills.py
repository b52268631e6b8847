"""The drills that matter most, compressed and on one stack; `make drills` runs all, in full.

Their controls are not run here: `make drills CONTROL=1` shows that each fault bites.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from drills.__main__ import DRILLS
from drills.drill import Drill
from drills.report import verdict
from drills.service import Service
from scripts.servers import DEBIAN, ServerError
from scripts.servers.pgbackrest import find_pgbackrest


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    yield from stage(tmp_path_factory.mktemp("drill"))


@pytest.fixture
def service_of_its_own(tmp_path: Path) -> Iterator[Service]:
    yield from stage(tmp_path)


def stage(folder: Path) -> Iterator[Service]:
    try:
        made = Service(folder)
    except ServerError as error:
        pytest.skip(str(error))
    with made:
        yield made


@pytest.mark.parametrize(
    "number",
    [
        *("01", "02", "03", "05", "09", "10", "11", "14", "18", "19", "20", "21", "22"),
        *("28", "34", "42"),
    ],
)
def test_nothing_is_lost_and_every_bound_holds(number: str, service: Service) -> None:
    play(number, service)


def test_a_lost_primary_takes_nothing_along(service_of_its_own: Service) -> None:
    play("26", service_of_its_own)


def test_a_dropped_table_is_back_as_it_was_a_second_before(tmp_path: Path) -> None:
    if not find_pgbackrest():
        pytest.skip("pgBackRest is not installed")
    with Service(tmp_path, programs=DEBIAN) as service:
        play("27", service)


def play(number: str, service: Service) -> None:
    story = importlib.import_module(f"drills.{DRILLS[number]}")
    figures = story.run(Drill(service, f"D-{number}", is_quick=True))
    passed, told = verdict(story, figures, is_control=False)
    assert passed, f"{told}\n{figures.line(passed=False)}"
    assert figures.requests > 0


def test_each_drill_is_told_as_a_story() -> None:
    assert len(DRILLS) >= 8
    for name in DRILLS.values():
        story = importlib.import_module(f"drills.{name}")
        assert story.__doc__
        assert story.INJECTED
        assert story.NAIVE
        counts = {"failed", "failed_after_heal", "worst_ms", "lost", "dup", "unmigrated"}
        assert story.BITES in counts
