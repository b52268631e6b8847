"""Who is asked how often, and that no probe needs what it must not depend on."""

from __future__ import annotations

from core.health.state import UNREACHABLE_AFTER
from core.heartbeat.worker import STALLED
from tests.repository.kubernetes.objects import Manifests

SERVING = ("web", "asgi")


def serving(manifests: Manifests) -> list[str]:
    return [name for name in manifests.deployments() if name.partition("-")[0] in SERVING]


def beating(manifests: Manifests) -> list[str]:
    return [
        name
        for name in manifests.deployments()
        if name.startswith("worker-") or name in ("relay", "beat")
    ]


def test_every_deployment_is_asked_whether_it_started_and_whether_it_lives(
    manifests: Manifests,
) -> None:
    known = {*serving(manifests), *beating(manifests), "pgbouncer"}
    assert known == set(manifests.deployments())
    for name in manifests.deployments():
        container = manifests.main(name)
        assert {"startupProbe", "livenessProbe"} <= container.keys(), name


def test_requests_are_asked_about_on_the_port_that_needs_no_request_thread_and_no_host(
    manifests: Manifests,
) -> None:
    for name in serving(manifests):
        container = manifests.main(name)
        for probe, path in (
            ("startupProbe", "/livez"),
            ("livenessProbe", "/livez"),
            ("readinessProbe", "/readyz"),
        ):
            assert container[probe]["httpGet"] == {"path": path, "port": "management"}, name


def test_a_start_may_take_150_seconds(manifests: Manifests) -> None:
    for name in [*serving(manifests), *beating(manifests)]:
        probe = manifests.main(name)["startupProbe"]
        assert (probe["periodSeconds"], probe["failureThreshold"]) == (5, 30), name


def test_a_pod_is_restarted_after_a_minute_of_silence(manifests: Manifests) -> None:
    for name in manifests.deployments():
        probe = manifests.main(name)["livenessProbe"]
        assert probe["periodSeconds"] * probe["failureThreshold"] == 60, name
        assert probe["timeoutSeconds"] == 5, name


def test_readiness_turns_at_once_because_the_process_waits_for_the_database_itself(
    manifests: Manifests,
) -> None:
    assert UNREACHABLE_AFTER == 15
    for name in serving(manifests):
        probe = manifests.main(name)["readinessProbe"]
        assert (probe["periodSeconds"], probe["failureThreshold"]) == (5, 1), name
        assert probe["timeoutSeconds"] == 3, name


def test_workers_are_asked_for_their_heartbeat_and_never_for_the_broker(
    manifests: Manifests,
) -> None:
    for name in beating(manifests):
        container = manifests.main(name)
        assert "readinessProbe" not in container
        for probe in ("startupProbe", "livenessProbe"):
            # One word: podman splits a probe's arguments at spaces.
            assert container[probe]["exec"] == {"command": ["/app/deploy/docker/healthcheck"]}
        live = container["livenessProbe"]
        assert live["periodSeconds"] * live["failureThreshold"] > STALLED
