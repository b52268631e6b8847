"""A new release takes over without a moment in which nobody answers, and a bad one is given up."""

from __future__ import annotations

import re

from tests.repository.kubernetes.objects import Manifests


def startup_seconds(container: dict[str, dict[str, int]]) -> int:
    probe = container["startupProbe"]
    return probe["periodSeconds"] * probe["failureThreshold"]


def test_no_pod_goes_before_another_one_has_come(manifests: Manifests) -> None:
    for name in manifests.deployments():
        strategy = manifests.one("Deployment", name)["spec"]["strategy"]
        if name == "beat":
            continue  # never two
        rolling = strategy["rollingUpdate"]
        if name == "pgbouncer":
            # A third one would open connections that the budget does not hold.
            assert rolling == {"maxUnavailable": 1, "maxSurge": 0}
        else:
            assert rolling["maxUnavailable"] == 0
            assert rolling["maxSurge"] in (1, "25%")


def test_a_pod_is_watched_before_the_next_one_goes(manifests: Manifests) -> None:
    for name in manifests.deployments():
        ready = manifests.main(name).get("readinessProbe", {"periodSeconds": 5})
        waited = manifests.one("Deployment", name)["spec"]["minReadySeconds"]
        assert waited >= max(10, 2 * ready["periodSeconds"]), name


def test_a_rollout_that_does_not_progress_has_failed_after_the_longest_start(
    manifests: Manifests,
) -> None:
    for name in manifests.deployments():
        spec = manifests.one("Deployment", name)["spec"]
        start = startup_seconds(manifests.main(name))
        assert spec["progressDeadlineSeconds"] >= start + max(60, spec["minReadySeconds"]), name
        assert spec["revisionHistoryLimit"] == 5


def test_an_image_stands_by_its_digest(manifests: Manifests) -> None:
    for name, pod in manifests.pods():
        for container in pod["spec"]["containers"]:
            assert re.fullmatch(r"\S+@sha256:[0-9a-f]{64}", container["image"]), name
            assert container["imagePullPolicy"] == "IfNotPresent"
            assert "latest" not in container["image"]


def test_a_changed_setting_is_a_rollout(manifests: Manifests) -> None:
    """The name of what pods read their settings from ends in a hash of it."""
    for one in manifests.all("ConfigMap"):
        assert re.fullmatch(r"(service|pgbouncer)-[a-z0-9]{10}", one["metadata"]["name"])
    made = manifests.names("ConfigMap")
    for name in manifests.of_the_service():
        (source,) = manifests.main(name)["envFrom"]
        assert source["configMapRef"]["name"] in made
