"""The waits of the manifests stand in the order that those of the servers need.

Each number is read from the file that uses it; what is a measured fact stands here with its name.
"""

from __future__ import annotations

from config.settings.components.deadline import DEADLINE_SECONDS, STREAM_IDLE_SECONDS
from config.settings.components.tasks import TASKS_SHUTDOWN_SECONDS
from core.health.state import UNREACHABLE_AFTER
from tests.repository.kubernetes.objects import Manifests
from tests.repository.kubernetes.test_probes import beating, serving
from tests.repository.test_timings import gunicorn, nginx, pgbouncer, uvicorn

# Seconds until every proxy of a cluster has heard that a pod leaves: in it, and a load balancer
# that asks every 2 s and believes the second refusal.
ENDPOINT_REMOVAL = 8
SLACK = 5
# Seconds over which clients whose stream ends come back, so that they do not all come at once.
RECONNECT = 10
# Seconds that a client should wait at least, to see the answer of the route and not its own.
CLIENT = 45
COLD_START = 4  # measured; the Dockerfile says 2 to 4


def grace(manifests: Manifests, name: str) -> int:
    seconds: int = manifests.pod(name)["spec"]["terminationGracePeriodSeconds"]
    return seconds


def before_the_end(manifests: Manifests, name: str) -> int:
    """Seconds in which a leaving pod still takes connections."""
    lifecycle = manifests.main(name).get("lifecycle", {})
    seconds: int = lifecycle.get("preStop", {}).get("sleep", {}).get("seconds", 0)
    return seconds


def test_a_pod_answers_until_everybody_has_heard_that_it_leaves(manifests: Manifests) -> None:
    for name in [*serving(manifests), "pgbouncer"]:
        assert before_the_end(manifests, name) >= ENDPOINT_REMOVAL, name


def test_requests_that_run_may_end_before_the_pod_is_killed(manifests: Manifests) -> None:
    """The grace's clock runs from the start of preStop."""
    for name in serving(manifests):
        graceful = uvicorn("timeout_graceful_shutdown")
        if name != "asgi":
            graceful = gunicorn("graceful_timeout")
        assert graceful >= DEADLINE_SECONDS
        assert grace(manifests, name) >= before_the_end(manifests, name) + graceful + SLACK, name


def test_streams_may_end_and_come_back_before_the_pod_is_killed(manifests: Manifests) -> None:
    stop = before_the_end(manifests, "asgi")
    assert grace(manifests, "asgi") >= stop + RECONNECT + SLACK
    assert uvicorn("timeout_graceful_shutdown") <= grace(manifests, "asgi") - stop - SLACK


def test_tasks_that_run_may_end_before_the_pod_is_killed(manifests: Manifests) -> None:
    for name in beating(manifests):
        assert grace(manifests, name) >= TASKS_SHUTDOWN_SECONDS + SLACK, name


def test_transactions_that_run_may_end_before_the_pooler_is_killed(manifests: Manifests) -> None:
    stop = before_the_end(manifests, "pgbouncer")
    assert grace(manifests, "pgbouncer") >= stop + pgbouncer("query_timeout") + SLACK


def test_no_legitimate_wait_is_taken_for_death(manifests: Manifests) -> None:
    longest = max(
        DEADLINE_SECONDS,
        gunicorn("timeout"),
        pgbouncer("query_wait_timeout") + pgbouncer("query_timeout"),
    )
    for name in serving(manifests):
        container = manifests.main(name)
        live, ready, start = (
            container[probe]["periodSeconds"] * container[probe]["failureThreshold"]
            for probe in ("livenessProbe", "readinessProbe", "startupProbe")
        )
        assert live > longest + 10, name
        assert UNREACHABLE_AFTER + ready < live, name
        assert start >= 3 * COLD_START, name
        # A balancer that asks by itself has seen the refusal before the pod closes.
        assert before_the_end(manifests, name) >= container["readinessProbe"]["periodSeconds"]


def test_a_stream_that_says_nothing_ends_before_its_route_does(manifests: Manifests) -> None:
    for one in manifests.all("HTTPRoute"):
        for rule in one["spec"]["rules"]:
            if "timeouts" in rule:
                assert int(rule["timeouts"]["request"].removesuffix("s")) > STREAM_IDLE_SECONDS


def test_the_proxy_answers_before_the_route_and_the_route_before_the_client(
    manifests: Manifests,
) -> None:
    routes = [
        int(rule["timeouts"]["request"].removesuffix("s"))
        for one in manifests.all("HTTPRoute")
        for rule in one["spec"]["rules"]
        if "timeouts" in rule and rule["backendRefs"][0]["name"] != "asgi"
    ]
    assert routes
    assert max(nginx()) < min(routes)
    assert max(routes) < CLIENT


def test_a_disruption_leaves_a_pod_that_answers(manifests: Manifests) -> None:
    for one in manifests.all("PodDisruptionBudget"):
        name = one["metadata"]["name"]
        assert manifests.replicas(name)[0] - one["spec"]["maxUnavailable"] >= 1, name
