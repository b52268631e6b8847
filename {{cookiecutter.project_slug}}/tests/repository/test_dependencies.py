"""pyproject.toml resolves to what we mean, on every day and every index."""

from __future__ import annotations

import re
import tomllib

import django
import pytest

from tests.stack import BASE_DIR

PROJECT = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())
REQUIREMENTS = [
    *PROJECT["project"]["dependencies"],
    *(item for group in PROJECT["dependency-groups"].values() for item in group),
]


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_a_dependency_has_a_pin_or_a_lower_bound(requirement: str) -> None:
    """Without one, the resolver answers a conflict with a release of 2020 instead of an error."""
    assert re.fullmatch(r"[a-z0-9-]+(\[[a-z0-9,-]+\])?(==|>=)[0-9][^ ]*", requirement)


def test_django_is_the_minor_that_is_meant() -> None:
    assert django.VERSION[:2] == (6, 1)


def test_a_new_dependency_is_limited_to_a_day() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00Z", PROJECT["tool"]["uv"]["exclude-newer"])


def test_python_is_one_version_in_all_places() -> None:
    wanted = (BASE_DIR / ".python-version").read_text().strip()
    assert PROJECT["project"]["requires-python"].startswith(f">={wanted}")
    assert PROJECT["tool"]["mypy"]["python_version"] == wanted
    assert PROJECT["tool"]["ruff"]["target-version"] == "py" + wanted.replace(".", "")
