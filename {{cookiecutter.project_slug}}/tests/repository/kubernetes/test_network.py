"""Nothing in, nothing out, but what is named: who may talk to whom is a table here."""

from __future__ import annotations

import ipaddress
from typing import Any

from tests.repository.kubernetes.objects import Manifests, selects

WORKERS = {"worker-high", "worker-default", "worker-low"}
POOLED = {"web", "asgi", "relay", "beat", "orphaned-files", *WORKERS}
METADATA = ipaddress.ip_address("169.254.169.254")


def policies(manifests: Manifests, direction: str) -> list[dict[str, Any]]:
    return [
        one["spec"]
        for one in manifests.all("NetworkPolicy")
        if direction.capitalize() in one["spec"]["policyTypes"] and one["spec"].get(direction)
    ]


def allowed(manifests: Manifests, direction: str, port: int) -> set[str]:
    """The workloads of which a policy opens this port."""
    return {
        name.removesuffix("-canary")
        for name, pod in manifests.pods()
        for spec in policies(manifests, direction)
        if selects(spec["podSelector"], pod["metadata"]["labels"])
        for rule in spec[direction]
        if port in [one["port"] for one in rule["ports"]]
    }


def test_the_default_is_nothing(manifests: Manifests) -> None:
    assert manifests.one("NetworkPolicy", "default-deny")["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
    }


def test_no_rule_is_open_at_one_end(manifests: Manifests) -> None:
    for direction, peer in (("ingress", "from"), ("egress", "to")):
        for spec in policies(manifests, direction):
            for rule in spec[direction]:
                assert rule[peer]
                assert all(one and {"port", "protocol"} <= one.keys() for one in rule["ports"])
                assert {} not in rule[peer]


def test_everybody_may_ask_for_names_by_both_protocols(manifests: Manifests) -> None:
    (rule,) = manifests.one("NetworkPolicy", "names")["spec"]["egress"]
    assert {(one["port"], one["protocol"]) for one in rule["ports"]} == {(53, "UDP"), (53, "TCP")}
    assert allowed(manifests, "egress", 53) == {
        name.removesuffix("-canary") for name, _ in manifests.pods()
    }


def test_each_connection_goes_where_it_is_meant_to(manifests: Manifests) -> None:
    assert allowed(manifests, "egress", 6432) == POOLED
    assert allowed(manifests, "egress", 5432) == {"pgbouncer", "migrate"}
    assert allowed(manifests, "egress", 6379) == POOLED
    assert allowed(manifests, "egress", 443) == {"web", "asgi", "orphaned-files", *WORKERS}
    assert allowed(manifests, "egress", 587) == {"web", "asgi", "orphaned-files", *WORKERS}


def test_the_gateway_alone_comes_to_the_requests_port(manifests: Manifests) -> None:
    (spec,) = [
        spec
        for spec in policies(manifests, "ingress")
        for rule in spec["ingress"]
        if {"port": 8000, "protocol": "TCP"} in rule["ports"]
    ]
    sources = {port["port"]: rule["from"] for rule in spec["ingress"] for port in rule["ports"]}
    label = "kubernetes.io/metadata.name"
    assert sources[8000] == [{"namespaceSelector": {"matchLabels": {label: "gateway"}}}]
    assert sources[8001] == sources[8000]
    assert sources[9464] == [{"namespaceSelector": {"matchLabels": {label: "monitoring"}}}]
    assert allowed(manifests, "ingress", 8000) == {"web", "asgi"}


def test_the_pooler_is_reached_by_those_that_may_go_there(manifests: Manifests) -> None:
    assert allowed(manifests, "ingress", 6432) == {"pgbouncer"}
    (rule,) = manifests.one("NetworkPolicy", "pgbouncer")["spec"]["ingress"]
    (peer,) = rule["from"]
    (choice,) = peer["podSelector"]["matchExpressions"]
    assert set(choice["values"]) == POOLED


def test_the_internet_is_neither_a_neighbour_nor_the_nodes_metadata(manifests: Manifests) -> None:
    for spec in policies(manifests, "egress"):
        for rule in spec["egress"]:
            for block in (one["ipBlock"] for one in rule["to"] if "ipBlock" in one):
                network = ipaddress.ip_network(block["cidr"])
                spared = [ipaddress.ip_network(one) for one in block.get("except", [])]
                assert METADATA not in network or any(METADATA in one for one in spared)
                if network.prefixlen == 0:
                    for private in ("10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1"):
                        assert any(ipaddress.ip_address(private) in one for one in spared)


def test_names_outside_are_asked_for_once(manifests: Manifests) -> None:
    for name, pod in manifests.pods():
        assert pod["spec"]["dnsConfig"] == {"options": [{"name": "ndots", "value": "2"}]}, name
