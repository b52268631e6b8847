"""Which migrations are judged: all of ours that are younger than [tool.migration-lint.accepted]."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from django.apps import apps
from django.db.migrations.loader import MigrationLoader

BASE_DIR = Path(__file__).resolve().parent.parent.parent
WHERE = "[tool.migration-lint.accepted] of pyproject.toml"


class BaselineError(Exception):
    """The baseline names what is not there."""


def ours() -> set[str]:
    """The labels of the apps whose code stands in the project, and not in its environment."""
    return {
        config.label
        for config in apps.get_app_configs()
        if Path(config.path).is_relative_to(BASE_DIR) and "site-packages" not in config.path
    }


def accepted() -> dict[str, str]:
    """By app, the last migration that is not judged, nor those before it."""
    project = tomllib.loads((BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))
    found: dict[str, str] = project["tool"].get("migration-lint", {}).get("accepted", {})
    return found


def judged(
    loader: MigrationLoader, labels: Iterable[str], accepted: Mapping[str, str]
) -> set[tuple[str, str]]:
    """Raises `BaselineError` for an app or a migration that does not exist."""
    labels = set(labels)
    old: set[tuple[str, str]] = set()
    for key in accepted.items():
        if key not in loader.graph.nodes or key[0] not in labels:
            raise BaselineError(
                f"{WHERE} names {key[0]} = {key[1]!r}, and the project has no such migration: "
                "correct the line, or delete it."
            )
        old.update(loader.graph.forwards_plan(key))
    return {key for key in loader.graph.nodes if key[0] in labels} - old


def baseline(loader: MigrationLoader, labels: Iterable[str]) -> str:
    """The table that accepts every migration there is."""
    lines = ["[tool.migration-lint.accepted]"]
    for label in sorted(labels):
        lines += [f'{app} = "{name}"' for app, name in loader.graph.leaf_nodes(label)]
    return "\n".join(lines)
