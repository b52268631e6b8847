"""What is reached from outside, by which host, for how long; and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from config.settings.components.deadline import DEADLINE_SECONDS, STREAM_SECONDS
from tests.repository.kubernetes.objects import Manifests
from tests.repository.test_timings import gunicorn

HIDDEN = ("/metrics", "/__heartbeat__", "/livez", "/readyz")


def route(manifests: Manifests, name: str) -> dict[str, Any]:
    one = manifests.one("HTTPRoute", name)
    assert one["apiVersion"] == "gateway.networking.k8s.io/v1"
    spec: dict[str, Any] = one["spec"]
    return spec


def rule_of(spec: dict[str, Any], path: str) -> dict[str, Any]:
    """As a gateway chooses it: the longest prefix, whole parts of a path."""
    found: list[tuple[int, dict[str, Any]]] = []
    for rule in spec["rules"]:
        for match in rule["matches"]:
            assert match["path"]["type"] == "PathPrefix"
            prefix = match["path"]["value"]
            if path == prefix or path.startswith(prefix.rstrip("/") + "/"):
                found.append((len(prefix), rule))
    return max(found, key=lambda one: one[0])[1]


@pytest.mark.parametrize("name", ["web", "admin"])
@pytest.mark.parametrize("path", HIDDEN)
def test_what_the_cluster_asks_is_not_answered_to_strangers(
    manifests: Manifests, name: str, path: str
) -> None:
    (rewrite,) = rule_of(route(manifests, name), path)["filters"]
    assert rewrite["urlRewrite"]["path"] == {
        "type": "ReplaceFullPath",
        "replaceFullPath": "/not-found",
    }


def test_the_admin_is_on_a_host_and_a_gateway_of_its_own(manifests: Manifests) -> None:
    public, staff = route(manifests, "web"), route(manifests, "admin")
    assert public["parentRefs"][0]["name"] == "public"
    assert staff["parentRefs"][0]["name"] == "internal"
    assert set(public["hostnames"]).isdisjoint(staff["hostnames"])
    assert "filters" in rule_of(public, "/admin/login/")
    assert "filters" not in rule_of(staff, "/admin/login/")


def test_the_hosts_of_the_routes_are_those_that_the_service_answers_to(
    manifests: Manifests,
) -> None:
    config = manifests.config()
    assert route(manifests, "web")["hostnames"] == [config["ALLOWED_HOSTS"]]
    assert route(manifests, "to-https")["hostnames"] == [config["ALLOWED_HOSTS"]]
    assert route(manifests, "admin")["hostnames"] == [config["ADMIN_HOST"]]


def test_an_environment_below_the_service_has_names_and_a_bucket_of_its_own(
    production: Manifests, staging: Manifests
) -> None:
    below, above = staging.config(), production.config()
    assert below["DJANGO_SETTINGS_MODULE"] == "config.settings.staging"
    assert below["ALLOWED_HOSTS"] == f"staging.{above['ALLOWED_HOSTS']}"
    assert below["ADMIN_HOST"] == f"admin.staging.{above['ALLOWED_HOSTS']}"
    assert below["S3_BUCKET"] == f"staging-{above['S3_BUCKET']}"


def test_streams_alone_go_to_the_streaming_process(manifests: Manifests) -> None:
    public = route(manifests, "web")
    assert rule_of(public, "/stream/numbers")["backendRefs"] == [{"name": "asgi", "port": 80}]
    assert {one["name"] for one in rule_of(public, "/streams")["backendRefs"]} >= {"web"}


def test_the_gateway_gives_up_after_everything_behind_it(manifests: Manifests) -> None:
    for name in ("web", "admin"):
        for rule in route(manifests, name)["rules"]:
            seconds = int(rule["timeouts"]["request"].removesuffix("s"))
            streams = rule["backendRefs"][0]["name"] == "asgi"
            inner = STREAM_SECONDS if streams else max(DEADLINE_SECONDS, gunicorn("timeout") + 5)
            assert seconds > inner


def test_a_route_leads_to_a_service_of_ours(manifests: Manifests) -> None:
    for one in manifests.all("HTTPRoute"):
        for rule in one["spec"]["rules"]:
            for backend in rule.get("backendRefs", []):
                service = manifests.one("Service", backend["name"])
                assert backend["port"] in [port["port"] for port in service["spec"]["ports"]]


def test_plain_http_is_sent_to_https(manifests: Manifests) -> None:
    (rule,) = route(manifests, "to-https")["rules"]
    (redirect,) = rule["filters"]
    assert redirect["requestRedirect"] == {"scheme": "https", "statusCode": 301}
    assert "backendRefs" not in rule


def test_no_ingress_of_the_retired_controller(manifests: Manifests) -> None:
    assert manifests.all("Ingress") == []
    assert "nginx.ingress" not in str(manifests.objects)
