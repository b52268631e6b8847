"""Questions that several tests ask of rendered manifests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scripts.manifests.render import Object

QUEUES = ("high", "default", "low")
_UNITS = {"m": 0.001, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


@dataclass(frozen=True)
class Manifests:
    """The objects of one overlay, or of one choice of components."""

    name: str
    objects: list[Object]

    def all(self, kind: str) -> list[Object]:
        return [one for one in self.objects if one["kind"] == kind]

    def one(self, kind: str, name: str) -> Object:
        (found,) = [one for one in self.all(kind) if one["metadata"]["name"] == name]
        return found

    def names(self, kind: str) -> set[str]:
        return {one["metadata"]["name"] for one in self.all(kind)}

    def config(self) -> dict[str, str]:
        """What every process of the service is told."""
        (found,) = [
            one for one in self.all("ConfigMap") if one["metadata"]["name"].startswith("service-")
        ]
        data: dict[str, str] = found["data"]
        return data

    def pods(self) -> Iterator[tuple[str, Object]]:
        """The pod of every workload, with the workload's name."""
        for one in self.objects:
            spec = one.get("spec", {})
            spec = spec.get("jobTemplate", {}).get("spec", spec)
            if one["kind"] in ("Deployment", "Job", "CronJob"):
                yield one["metadata"]["name"], spec["template"]

    def pod(self, name: str) -> Object:
        return dict(self.pods())[name]

    def main(self, name: str) -> Object:
        """The one container of a workload's pod."""
        (container,) = self.pod(name)["spec"]["containers"]
        found: Object = container
        return found

    def deployments(self) -> list[str]:
        return sorted(self.names("Deployment"))

    def of_the_service(self) -> list[str]:
        """Workloads that run the service's own image."""
        return [name for name, _ in self.pods() if name != "pgbouncer"]

    def replicas(self, name: str) -> tuple[int, int]:
        """The fewest and the most pods of a Deployment."""
        for kind, least, most in (
            ("HorizontalPodAutoscaler", "minReplicas", "maxReplicas"),
            ("ScaledObject", "minReplicaCount", "maxReplicaCount"),
        ):
            for one in self.all(kind):
                if one["spec"]["scaleTargetRef"]["name"] == name:
                    return one["spec"][least], one["spec"][most]
        count = self.one("Deployment", name)["spec"]["replicas"]
        return count, count

    def surge(self, name: str) -> int:
        """Pods beyond the most, while a rollout runs; a share of them is rounded up."""
        strategy = self.one("Deployment", name)["spec"]["strategy"]
        value = strategy.get("rollingUpdate", {}).get("maxSurge", 0)
        if isinstance(value, int):
            return value
        return -(-self.replicas(name)[1] * int(value.removesuffix("%")) // 100)


def quantity(text: str | int) -> float:
    """`500m` or `64Mi` as a number."""
    for unit, factor in _UNITS.items():
        if isinstance(text, str) and text.endswith(unit):
            return float(text.removesuffix(unit)) * factor
    return float(text)


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Whether a label selector takes what bears `labels`; an empty one takes all."""
    pairs = selector.get("matchLabels", {}).items()
    choices = selector.get("matchExpressions", [])
    assert all(one["operator"] == "In" for one in choices)
    return all(labels.get(key) == value for key, value in pairs) and all(
        labels.get(one["key"]) in one["values"] for one in choices
    )
