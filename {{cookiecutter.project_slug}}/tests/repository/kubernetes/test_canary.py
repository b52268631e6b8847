"""A canary is production's web in all but its image, and gets the share that the route says."""

from __future__ import annotations

import copy
from typing import Any

from tests.repository.kubernetes.objects import Manifests
from tests.repository.kubernetes.test_routes import route, rule_of


def without_its_track(pod: dict[str, Any]) -> dict[str, Any]:
    pod = copy.deepcopy(pod)
    pod["metadata"]["labels"].pop("track")
    for one in pod["spec"]["topologySpreadConstraints"]:
        one["labelSelector"]["matchLabels"].pop("track", None)
        one.pop("whenUnsatisfiable")
    # Of the base's own labels, which say nothing that selects.
    for name in ("app.kubernetes.io/name", "app.kubernetes.io/managed-by"):
        pod["metadata"]["labels"].pop(name, None)
    return pod


def test_the_canary_is_the_pod_of_web(every_component: Manifests) -> None:
    stable, canary = (every_component.pod(name) for name in ("web", "web-canary"))
    assert without_its_track(canary) == without_its_track(stable)


def test_neither_service_takes_the_others_pods(every_component: Manifests) -> None:
    for name, track in (("web", "stable"), ("web-canary", "canary")):
        assert every_component.one("Service", name)["spec"]["selector"]["track"] == track
        deployment = every_component.one("Deployment", name)["spec"]
        assert deployment["selector"]["matchLabels"]["track"] == track
        assert deployment["template"]["metadata"]["labels"]["track"] == track


def test_a_small_share_of_the_requests_goes_there(every_component: Manifests) -> None:
    backends = rule_of(route(every_component, "web"), "/")["backendRefs"]
    weights = {one["name"]: one["weight"] for one in backends}
    assert sum(weights.values()) == 100
    assert weights == {"web": 95, "web-canary": 5}


def test_without_the_component_all_requests_go_to_web(production: Manifests) -> None:
    backends = rule_of(route(production, "web"), "/")["backendRefs"]
    assert backends == [{"name": "web", "port": 80, "weight": 100}]
