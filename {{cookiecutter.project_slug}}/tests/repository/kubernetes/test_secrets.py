"""No secret in git: who gets which, as a file, from the store."""

from __future__ import annotations

from config.env import Environment
from core.environment import declared
from tests.repository.kubernetes.objects import Manifests

SECRET = {variable.name for variable in declared(Environment) if variable.secret}
FOLDER = "/run/secrets/service/"


def mounted(manifests: Manifests, name: str) -> str:
    """The Secret that a workload of the service has."""
    (found,) = [
        volume["secret"]["secretName"]
        for volume in manifests.pod(name)["spec"]["volumes"]
        if "secret" in volume
    ]
    return str(found)


def keys(manifests: Manifests, secret: str) -> dict[str, str]:
    """The keys of a Secret, and the property of the store that each is."""
    data = manifests.one("ExternalSecret", secret)["spec"]["data"]
    return {one["secretKey"]: one["remoteRef"]["property"] for one in data}


def test_no_secret_is_in_git(manifests: Manifests) -> None:
    assert manifests.all("Secret") == []
    assert SECRET.isdisjoint(manifests.config())
    for name in manifests.of_the_service():
        said = {one["name"] for one in manifests.main(name).get("env", [])}
        assert SECRET.isdisjoint(said)


def test_every_secret_comes_from_the_services_entry_of_the_store(manifests: Manifests) -> None:
    (namespace,) = manifests.names("Namespace")
    for one in manifests.all("ExternalSecret"):
        spec = one["spec"]
        assert one["apiVersion"] == "external-secrets.io/v1"
        assert spec["secretStoreRef"] == {"kind": "SecretStore", "name": "secrets"}
        assert spec["target"]["name"] == one["metadata"]["name"]
        assert spec["target"]["creationPolicy"] == "Owner"
        # A store that is away, or an entry deleted by mistake, takes nothing from running pods.
        assert spec["target"]["deletionPolicy"] == "Retain"
        assert {entry["remoteRef"]["key"] for entry in spec["data"]} == {namespace}


def test_each_file_that_a_process_is_told_of_is_in_its_secret(manifests: Manifests) -> None:
    for name in manifests.of_the_service():
        told = dict(manifests.config())
        told |= {one["name"]: one["value"] for one in manifests.main(name).get("env", [])}
        files = {value.removeprefix(FOLDER) for value in told.values() if value.startswith(FOLDER)}
        held = keys(manifests, mounted(manifests, name)).keys()
        if mounted(manifests, name) == "migrate":
            # scripts/start.sh puts the direct URL in the place of the pooled one.
            files.remove("DATABASE_URL")
        assert files == held, name


def test_web_tasks_and_migrations_have_a_database_url_of_their_own(manifests: Manifests) -> None:
    assert keys(manifests, "service")["DATABASE_URL"] == "DATABASE_URL"
    assert keys(manifests, "background")["DATABASE_URL"] == "DATABASE_WORKER_URL"
    assert "DATABASE_URL" not in keys(manifests, "migrate")
    held = {name: mounted(manifests, name) for name in manifests.of_the_service()}
    requests = {name for name in held if name.partition("-")[0] in ("web", "asgi")}
    assert {name for name, secret in held.items() if secret == "service"} == requests
    assert {name for name, secret in held.items() if secret == "migrate"} == {"migrate"}


def test_the_owner_of_the_schema_is_known_to_the_migration_alone(manifests: Manifests) -> None:
    holders = [
        one["metadata"]["name"]
        for one in manifests.all("ExternalSecret")
        if "DATABASE_DIRECT_URL" in str(one["spec"]["data"])
    ]
    assert holders == ["migrate"]


def test_former_keys_are_accepted_while_the_key_changes(every_component: Manifests) -> None:
    assert every_component.config()["SECRET_KEY_FALLBACKS_FILE"] == f"{FOLDER}SECRET_KEY_FALLBACKS"


def test_the_autoscaler_of_workers_finds_the_password_that_it_asks_for(
    every_component: Manifests,
) -> None:
    (authentication,) = every_component.all("TriggerAuthentication")
    for one in authentication["spec"]["secretTargetRef"]:
        assert one["key"] in keys(every_component, one["name"])
