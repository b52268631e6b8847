"""What would block the event loop is refused: by ruff in our code, by Django in its ORM."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
SOURCE = [
    path
    for folder in ("config", "core", "apps", "scripts", "deploy")
    for path in (PROJECT / folder).rglob("*")
    if path.is_file()
]
# Written in two parts, so that this file is not what it looks for.
UNSAFE = "DJANGO_ALLOW_ASYNC" + "_UNSAFE"


def test_ruff_looks_for_blocking_calls_and_nobody_looks_away() -> None:
    lint = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert "ASYNC" in lint["select"]
    assert not [rule for rule in lint["ignore"] if rule.startswith("ASYNC")]
    silenced = re.compile(r"noqa:.*ASYNC")
    assert not [p for p in SOURCE if p.suffix == ".py" and silenced.search(p.read_text())]


def test_djangos_own_guard_is_never_switched_off() -> None:
    files = [*SOURCE, *(PROJECT / "tests").rglob("*.py"), PROJECT / ".env.example"]
    assert not [path for path in files if UNSAFE in path.read_text(errors="replace")]
