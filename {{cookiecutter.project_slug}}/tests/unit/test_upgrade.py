"""`make upgrade` raises the pins together with the day, or changes nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from scripts import upgrade

PROJECT = """[project]
dependencies = [
    "django==6.1.3",
    "psycopg[pool]==3.3.9", # kept
]

[dependency-groups]
dev = [
    "psycopg[binary]==3.3.9",
]

[tool.uv]
exclude-newer = "2020-01-01T00:00:00Z"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    path = tmp_path / "pyproject.toml"
    path.write_text(PROJECT, encoding="utf-8")
    return path


def test_the_day_is_a_week_behind_today() -> None:
    assert upgrade.new_day(date(2026, 1, 1), "", date(2026, 11, 25)) == date(2026, 11, 18)


def test_the_day_never_moves_back() -> None:
    assert upgrade.new_day(date(2026, 11, 20), "", date(2026, 11, 25)) == date(2026, 11, 20)


def test_a_security_fix_names_its_day() -> None:
    named = upgrade.new_day(date(2026, 11, 1), "2026-11-25", date(2026, 11, 25))
    assert named == date(2026, 11, 25)


def test_a_day_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(upgrade.UpgradeError, match="DAY=tomorrow"):
        upgrade.new_day(date(2026, 11, 1), "tomorrow", date(2026, 11, 25))


def test_every_pin_and_the_day_are_raised(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def resolve(text: str, _: Path) -> dict[str, str]:
        asked.append(text)
        return {"django": "6.1.4", "psycopg": "3.3.9"}

    monkeypatch.setattr(upgrade, "resolve", resolve)
    rows = upgrade.upgrade(project, "2026-11-25")
    assert '"django>=6.1.3"' in asked[0]
    assert '"psycopg[pool]>=3.3.9"' in asked[0]
    assert rows == [
        ("exclude-newer", "2020-01-01", "2026-11-25"),
        ("django", "6.1.3", "6.1.4"),
    ]
    wanted = PROJECT.replace("6.1.3", "6.1.4").replace("2020-01-01", "2026-11-25")
    assert project.read_text(encoding="utf-8") == wanted


def test_nothing_is_written_when_the_versions_cannot_be_resolved(project: Path) -> None:
    """Without an index and without a cache, by the real resolver."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UV_OFFLINE", "1")
        patch.setenv("UV_CACHE_DIR", str(project.parent / "cache"))
        with pytest.raises(upgrade.UpgradeError, match="nothing was changed"):
            upgrade.upgrade(project)
    assert project.read_text(encoding="utf-8") == PROJECT
