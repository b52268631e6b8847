"""Each role of scripts/start.sh, by its own command, under the settings of production."""

from __future__ import annotations

import re
import signal

import pytest

from tests.server.conftest import READY, StartRole
from tests.stack import BASE_DIR

# Read from the script, so that a new role is tested or fails here.
ROLES = re.findall(r"^(\w+)\)$", (BASE_DIR / "scripts/start.sh").read_text(), re.M)


@pytest.mark.parametrize("name", ROLES)
def test_a_role_runs_and_ends_well_under_the_settings_of_production(
    name: str, start_role: StartRole, production_env: dict[str, str]
) -> None:
    assert production_env["DJANGO_SETTINGS_MODULE"] == "config.settings.production"
    stays = name in READY

    with start_role(name, ready=None if stays else lambda role: True) as role:
        if stays:
            role.signal(signal.SIGTERM)
        assert role.wait_for_exit(45) == 0, role.output


def test_there_are_roles() -> None:
    assert set(ROLES) >= READY.keys()
