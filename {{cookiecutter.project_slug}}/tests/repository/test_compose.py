"""compose.yaml keeps what production keeps: hardened containers, known variables, no secret."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from config.env import Environment
from core.environment import declared
from tests.stack import BASE_DIR

TEXT = (BASE_DIR / "compose.yaml").read_text(encoding="utf-8")
DOCUMENT: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = DOCUMENT["services"]
OURS = {name for name, service in SERVICES.items() if service["image"] == "${SERVICE_NAME}:local"}
START = (BASE_DIR / "scripts/start.sh").read_text(encoding="utf-8")
UP = (BASE_DIR / "scripts/up.sh").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_writes_to_memory_and_volumes_and_has_no_right_of_root(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_listens_beyond_this_machine(name: str) -> None:
    assert [port for port in SERVICES[name].get("ports", []) if "127.0.0.1:" not in port[:10]] == []
    assert "network_mode" not in SERVICES[name]


def test_an_image_stands_by_an_exact_version_or_is_built_here() -> None:
    images = {service["image"] for service in SERVICES.values()}
    ours = {image for image in images if image.startswith("${SERVICE_NAME}")}
    assert ours == {"${SERVICE_NAME}:local", "${SERVICE_NAME}-pgbouncer:local"}
    assert [one for one in images - ours if not re.search(r":v?\d+\.\d+\.\d+[\w.-]*$", one)] == []


def test_every_role_is_started_once() -> None:
    roles = re.findall(r"^([a-z]+)\)$", START, re.MULTILINE)
    started = [service["command"] for name, service in SERVICES.items() if name in OURS]
    assert sorted(command[0] for command in started if command) == sorted(roles)


@pytest.mark.parametrize("name", sorted(OURS))
def test_the_service_is_given_declared_variables_and_all_that_production_asks_for(
    name: str,
) -> None:
    variables = {variable.name: variable for variable in declared(Environment)}
    given = {key.removesuffix("_FILE") for key in SERVICES[name]["environment"]}
    assert given - variables.keys() == set()
    assert {key for key, one in variables.items() if "production" in one.required} - given == set()


@pytest.mark.parametrize("name", SERVICES)
def test_a_secret_is_a_file_that_the_machine_made(name: str) -> None:
    secret = {variable.name for variable in declared(Environment) if variable.secret}
    environment = SERVICES[name].get("environment", {})
    # These two hold an address without a password, and mail goes to the catcher.
    assert secret & environment.keys() <= {"CACHE_URL", "BROKER_URL", "EMAIL_URL"}
    held = {
        one if isinstance(one, str) else one["source"] for one in SERVICES[name].get("secrets", [])
    }
    files = {key.rpartition("/")[2] for key in environment.values() if "/run/secrets/" in key}
    assert files <= held
    assert held <= DOCUMENT["secrets"].keys()


def test_up_makes_every_secret() -> None:
    for name, secret in DOCUMENT["secrets"].items():
        assert secret == {"file": f".compose/secrets/{name}"}
        assert re.search(rf"\b{name}\b", UP), name
    assert "\n/.compose/\n" in (BASE_DIR / ".gitignore").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SERVICES)
def test_a_health_check_is_a_program_without_spaces_in_its_arguments(name: str) -> None:
    """podman splits them there."""
    check = SERVICES[name].get("healthcheck", {})
    if "test" in check:
        assert check["test"][0] == "CMD"
        assert [word for word in check["test"] if " " in word] == []


def test_roles_wait_for_the_migration_to_have_ended_well() -> None:
    waiting = {name for name in OURS if "migrate" in SERVICES[name]["depends_on"]}
    assert waiting == OURS - {"migrate", "bucket", "pages"}
    for name in waiting:
        needed = SERVICES[name]["depends_on"]["migrate"]
        assert needed == {"condition": "service_completed_successfully"}


def test_the_health_check_of_the_image_asks_the_port_that_the_service_takes() -> None:
    script = (BASE_DIR / "deploy/docker/healthcheck").read_text(encoding="utf-8")
    port = next(one for one in declared(Environment) if one.name == "METRICS_PORT")
    assert "${METRICS_PORT:-" + str(port.defaults["*"]) + "}" in script
