"""What a pod asks for is what it gets, and no neighbour pays for it."""

from __future__ import annotations

from tests.repository.kubernetes.objects import Manifests, quantity


def test_every_container_says_what_it_needs(manifests: Manifests) -> None:
    for name, pod in manifests.pods():
        for container in pod["spec"]["containers"]:
            requests = container["resources"]["requests"]
            assert requests.keys() == {"cpu", "memory", "ephemeral-storage"}, name
            assert min(map(quantity, requests.values())) > 0


def test_memory_is_given_for_good_and_the_disk_is_bounded(manifests: Manifests) -> None:
    """A pod whose limit is above its request is killed when its neighbours are hungry."""
    for name, pod in manifests.pods():
        for container in pod["spec"]["containers"]:
            requests, limits = (container["resources"][key] for key in ("requests", "limits"))
            assert limits["memory"] == requests["memory"], name
            assert quantity(limits["ephemeral-storage"]) >= quantity(requests["ephemeral-storage"])


def test_no_cpu_limit_slows_a_request_while_the_node_has_cpu_to_spare(
    manifests: Manifests,
) -> None:
    for name, pod in manifests.pods():
        for container in pod["spec"]["containers"]:
            assert "cpu" not in container["resources"]["limits"], name


def test_processes_are_counted_in_words_because_there_is_no_quota_to_count_them_by(
    manifests: Manifests,
) -> None:
    assert manifests.config().keys() >= {"WEB_CONCURRENCY", "THREADS"}
    for name in manifests.deployments():
        if name.startswith("worker-"):
            assert "--concurrency=2" in manifests.main(name)["args"], name


def test_heartbeats_of_gunicorn_are_in_memory(manifests: Manifests) -> None:
    volumes = {one["name"]: one for one in manifests.pod("web")["spec"]["volumes"]}
    mounts = {one["mountPath"]: one["name"] for one in manifests.main("web")["volumeMounts"]}
    shared = volumes[mounts["/dev/shm"]]["emptyDir"]  # noqa: S108
    assert shared == {"medium": "Memory", "sizeLimit": "64Mi"}


def test_what_is_written_has_a_bound_below_the_disk_of_the_container(
    manifests: Manifests,
) -> None:
    for name, pod in manifests.pods():
        limits = pod["spec"]["containers"][0]["resources"]["limits"]
        on_disk = [
            quantity(volume["emptyDir"]["sizeLimit"])
            for volume in pod["spec"]["volumes"]
            if "emptyDir" in volume and volume["emptyDir"].get("medium") != "Memory"
        ]
        assert on_disk, name
        if name != "pgbouncer":  # which writes nothing
            assert sum(on_disk) < quantity(limits["ephemeral-storage"]), name
