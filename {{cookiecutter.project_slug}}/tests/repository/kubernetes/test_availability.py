"""A node, or a zone, may go: who stays, and who goes first."""

from __future__ import annotations

from tests.repository.kubernetes.objects import Manifests, selects

ZONE, NODE = "topology.kubernetes.io/zone", "kubernetes.io/hostname"


def labels(manifests: Manifests, name: str) -> dict[str, str]:
    found: dict[str, str] = manifests.pod(name)["metadata"]["labels"]
    return found


def test_a_deployment_of_several_pods_loses_one_at_a_time(manifests: Manifests) -> None:
    budgets = [one["spec"] for one in manifests.all("PodDisruptionBudget")]
    for name in manifests.deployments():
        found = [one for one in budgets if selects(one["selector"], labels(manifests, name))]
        if manifests.replicas(name)[0] > 1:
            (budget,) = found
            assert budget["maxUnavailable"] == 1, name


def test_a_budget_lets_a_node_be_emptied(manifests: Manifests) -> None:
    for one in manifests.all("PodDisruptionBudget"):
        taken = [
            name
            for name in manifests.deployments()
            if selects(one["spec"]["selector"], labels(manifests, name))
        ]
        assert taken
        assert sum(manifests.replicas(name)[0] for name in taken) > 1


def test_web_is_at_least_two_and_in_production_three(
    manifests: Manifests, production: Manifests
) -> None:
    assert manifests.replicas("web")[0] >= 2
    assert manifests.replicas("asgi")[0] >= 2
    assert production.replicas("web")[0] >= 3


def test_pods_of_a_kind_stand_apart(manifests: Manifests) -> None:
    for name in manifests.deployments():
        least, most = manifests.replicas(name)
        if most < 2:
            continue
        spread = manifests.pod(name)["spec"]["topologySpreadConstraints"]
        assert [one["topologyKey"] for one in spread] == [ZONE, NODE], name
        zone = spread[0]["whenUnsatisfiable"]
        assert zone == ("DoNotSchedule" if least >= 3 else "ScheduleAnyway"), name
        assert spread[1]["whenUnsatisfiable"] == "ScheduleAnyway"
        for one in spread:
            assert one["maxSkew"] == 1
            assert selects(one["labelSelector"], labels(manifests, name))


def test_what_somebody_waits_for_is_kept_before_what_is_queued_anyway(
    manifests: Manifests,
) -> None:
    value = {one["metadata"]["name"]: one["value"] for one in manifests.all("PriorityClass")}
    classes = {name: value[pod["spec"]["priorityClassName"]] for name, pod in manifests.pods()}
    assert classes["web"] > classes["worker-low"]
    assert classes["pgbouncer"] == classes["web"]
    assert max(value.values()) < 1_000_000_000  # above are the cluster's own
