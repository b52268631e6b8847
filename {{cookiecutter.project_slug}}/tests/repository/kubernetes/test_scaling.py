"""How many pods there may be is what the database's connections allow."""

from __future__ import annotations

from tests.repository.kubernetes.objects import QUEUES, Manifests
from tests.repository.test_database_numbers import POOLERS, pooler

# An autoscaler's own caution: a pause between two waves must not cost the second one its pods.
STABILIZATION = 300


def connections(manifests: Manifests, name: str) -> int:
    """That one pod keeps open to PgBouncer, with the one of its readiness check."""
    config, container = manifests.config(), manifests.main(name)
    if name.startswith("web"):
        return int(config["WEB_CONCURRENCY"]) * int(config["THREADS"]) + 1
    if name == "asgi":
        return int(config["THREADS"]) + 1  # the process's pool (config/asgi.py)
    if name.startswith("worker-"):
        (concurrency,) = [word for word in container["args"] if word.startswith("--concurrency=")]
        return int(concurrency.partition("=")[2]) + 1
    return 2


def clients(manifests: Manifests) -> int:
    """Of every Deployment at its most, in the middle of a rollout."""
    names = [name for name in manifests.deployments() if name != "pgbouncer"]
    return sum(
        (manifests.replicas(name)[1] + manifests.surge(name)) * connections(manifests, name)
        for name in names
    )


def test_the_poolers_of_the_cluster_are_those_of_the_budget(manifests: Manifests) -> None:
    assert manifests.replicas("pgbouncer") == (POOLERS, POOLERS)
    assert manifests.surge("pgbouncer") == 0


def test_all_pods_find_a_connection_even_while_one_pooler_is_away(manifests: Manifests) -> None:
    assert clients(manifests) <= pooler("max_client_conn") * (POOLERS - 1)


def test_web_is_never_scaled_beyond_what_the_poolers_accept(every_component: Manifests) -> None:
    """The most that fit, when all others are at theirs; what stands in the file is below."""
    least, most = every_component.replicas("web")
    others = clients(every_component) - (most + every_component.surge("web")) * connections(
        every_component, "web"
    )
    room = (pooler("max_client_conn") * (POOLERS - 1) - others) // connections(
        every_component, "web"
    )
    assert least <= most <= int(room / 1.25)  # a rollout has a quarter more


def test_web_follows_its_work(every_component: Manifests, production: Manifests) -> None:
    for manifests in (every_component, production):
        (scaler,) = manifests.all("HorizontalPodAutoscaler")
        assert scaler["spec"]["scaleTargetRef"]["name"] == "web"
        assert scaler["spec"]["minReplicas"] >= 3
        assert {one["type"] for one in scaler["spec"]["metrics"]} == {"ContainerResource"}
        (metric,) = scaler["spec"]["metrics"]
        assert metric["containerResource"]["container"] == manifests.main("web")["name"]
        assert (
            scaler["spec"]["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == STABILIZATION
        )


def test_workers_follow_their_queue(every_component: Manifests, production: Manifests) -> None:
    for manifests in (every_component, production):
        scaled = {one["metadata"]["name"]: one["spec"] for one in manifests.all("ScaledObject")}
        assert scaled.keys() == {f"worker-{queue}" for queue in QUEUES}
        for queue in QUEUES:
            spec = scaled[f"worker-{queue}"]
            assert spec["scaleTargetRef"] == {"name": f"worker-{queue}"}
            assert 1 <= spec["minReplicaCount"] < spec["maxReplicaCount"]
            behavior = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
            assert behavior["scaleDown"]["stabilizationWindowSeconds"] == STABILIZATION
            (trigger,) = spec["triggers"]
            assert trigger["type"] == "redis"
            assert trigger["metadata"]["listName"] == queue
            assert int(trigger["metadata"]["listLength"]) > 0
            assert trigger["authenticationRef"]["name"] in manifests.names("TriggerAuthentication")


def test_a_deployment_has_one_autoscaler_or_a_number(manifests: Manifests) -> None:
    scalers = [*manifests.all("HorizontalPodAutoscaler"), *manifests.all("ScaledObject")]
    targets = [one["spec"]["scaleTargetRef"]["name"] for one in scalers]
    assert len(targets) == len(set(targets))
    for name in manifests.deployments():
        said = "replicas" in manifests.one("Deployment", name)["spec"]
        assert said is (name not in targets), name
