"""API keys in the contract tests."""

from __future__ import annotations

from apps.api_keys.models import ApiKey
from tests.contract.scenario import Scenario


def add(scenario: Scenario) -> None:
    """A revoked key stays readable, so one is enough."""
    key, _ = ApiKey.issue(user=scenario.user, name="spare", expires_at=None)
    scenario.example("api_keys_list")
    scenario.example("api_keys_create", body={"name": "another"})
    scenario.example("api_keys_retrieve", path_parameters={"id": key.pk})
    scenario.example("api_keys_destroy", path_parameters={"id": key.pk})
    scenario.lasting.add("api_keys_retrieve")  # with `revoked_at`
    scenario.may_refuse("api_keys_create", "past")  # expires_at; a schema knows no clock
