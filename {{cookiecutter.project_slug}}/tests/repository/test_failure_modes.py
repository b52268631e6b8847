"""Each row of the pages for an outage names the drill, the test or the page that shows it."""

from __future__ import annotations

import re

import pytest

from drills.__main__ import DRILLS
from tests.stack import BASE_DIR

PAGES = BASE_DIR / "docs" / "operations"
FAILURES = {
    *("primary", "PgBouncer", "Redis cache", "broker", "S3", "a table dropped", "a worker killed"),
    *("host lost", "a release that", "a migration that"),
}


def rows(page: str, title: str) -> list[list[str]]:
    """The cells of the table below a heading's first cell `title`."""
    lines = (PAGES / page).read_text(encoding="utf-8").splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith(f"| {title} |"))
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return found


TABLES = [*rows("failure-modes.md", "Failure"), *rows("restore.md", "Lost")]


def shown(cell: str) -> list[bool]:
    """Whether what a cell names is there: drills, paths and pages."""
    found = [number.zfill(2) in DRILLS for number in re.findall(r"make drills D=(\d+)", cell)]
    found += [(BASE_DIR / path).exists() for path in re.findall(r"`([\w.-]+/[\w./-]+)`", cell)]
    found += [(PAGES / page).exists() for page in re.findall(r"\]\(([\w-]+\.md)", cell)]
    return found


@pytest.mark.parametrize("cells", TABLES, ids=lambda cells: cells[0][:30])
def test_a_row_names_what_shows_it_and_that_exists(cells: list[str]) -> None:
    *_, rpo, rto, shown_by = cells
    assert all(shown(" ".join(cells)))
    if not shown(shown_by):
        # A number without a source is an invented one.
        assert re.search(r"not measured", rpo + rto)
        assert not re.search(r"\d (s|min|h|ms)\b", rpo + rto)


@pytest.mark.parametrize("failure", sorted(FAILURES))
def test_every_failure_that_is_asked_for_has_a_row(failure: str) -> None:
    assert any(failure in cells[0] for cells in TABLES)


def test_a_drill_that_does_not_exist_is_noticed() -> None:
    assert shown("`make drills D=98`, [x](nowhere.md), `tests/nowhere`") == [False, False, False]
