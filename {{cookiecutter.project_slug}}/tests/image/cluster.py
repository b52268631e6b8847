"""An overlay's own objects by `podman kube play`, on a machine that stands for a cluster of one.

All pods share a network of their own, in which each Service's name leads to the pod itself. What
podman 4.3 cannot do is changed here, by name, and nothing else: probes by HTTP (it calls a curl in
the container), Secrets (it mounts them undecoded; here they are ConfigMaps), projected volumes, and
more than one pod of a Deployment.
"""

from __future__ import annotations

import copy
import os
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from scripts.manifests.render import Object, render
from tests.image.compose import PROJECT, provide
from tests.image.engine import Engine, EngineError

SERVERS = ("postgres", "cache", "broker")


class Cluster:
    """The overlay of a name, with `secrets` in the place of the store: Secret, key, value."""

    def __init__(
        self,
        engine: Engine,
        tree: Path,
        *,
        overlay: str,
        image: str,
        base: str,
        secrets: Mapping[str, Mapping[str, str]],
        settings: Mapping[str, str],
    ) -> None:
        provide(engine, tree, image, base)
        self._engine, self._tree = engine, tree
        self._namespace = f"cluster-{os.getpid()}"
        self._folder = engine.directory / "cluster"
        self._folder.mkdir()
        hosts = self._folder / "hosts"
        names = " ".join(("localhost", "pgbouncer", *SERVERS))
        hosts.write_text(f"127.0.0.1 {names}\n")
        configuration = self._folder / "containers.conf"
        text = (engine.directory / "containers.conf").read_text()
        configuration.write_text(f'{text}base_hosts_file = "{hosts}"\n')
        self._env = {"CONTAINERS_CONF": str(configuration)}
        self._secrets, self._settings = secrets, settings
        self.objects = render(overlay)
        engine.run("ip", "netns", "add", self._namespace)
        self.inside("ip", "link", "set", "lo", "up")

    def inside(self, *words: str | Path) -> str:
        """What a command prints in the network of the pods. Raises `EngineError`."""
        network = f"--net=/run/netns/{self._namespace}"
        return self._engine.run(
            "nsenter",
            network,
            "env",
            *(f"{key}={value}" for key, value in self._env.items()),
            *words,
        )

    def play(self, name: str, *objects: Object) -> None:
        """Start `objects` with the configuration and the secrets that a pod may name."""
        given = [*self._given(), *objects]
        file = self._folder / f"{name}.yaml"
        file.touch(mode=0o600)
        file.write_text(yaml.safe_dump_all(given))
        self.inside("podman", "kube", "play", "--network", "host", file)

    def start(self, name: str) -> None:
        """A Deployment or the Job of the overlay, as far as podman understands it."""
        (found,) = [
            one
            for one in self.objects
            if one["kind"] in ("Deployment", "Job") and one["metadata"]["name"] == name
        ]
        self.play(name, self._adapted(found))

    def start_server(self, name: str, image: str, spec: Mapping[str, Any]) -> None:
        container = {"name": "main", "image": image, **spec.get("container", {})}
        pod = {"hostNetwork": True, "containers": [container], "volumes": spec.get("volumes", [])}
        self.play(
            name, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": pod}
        )

    def do(self, name: str, *words: str) -> str:
        """What a command prints in the container of a pod. Raises `EngineError`."""
        return self.inside("podman", "exec", f"{name}-main", *words)

    def wait(self, check: Callable[[], object], seconds: float = 90) -> None:
        """Until `check` raises no `EngineError`; then the last one, with every pod's log."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                check()
            except EngineError as error:
                if time.monotonic() > deadline:
                    raise EngineError(f"{error}\n{self.logs()}") from error
                time.sleep(0.5)
            else:
                return

    def exit_code(self, name: str) -> int:
        return int(self.inside("podman", "wait", f"{name}-main"))

    def logs(self) -> str:
        listed = self.inside("podman", "ps", "--all", "--format", "{" + "{.Names}" + "}").split()
        return "\n".join(
            f"{name}: {self.inside('sh', '-c', f'podman logs --tail 15 {name} 2>&1')}"
            for name in listed
            if name.endswith("-main")
        )

    def down(self) -> None:
        self.inside("podman", "pod", "rm", "--all", "--force", "--time", "0")
        self._engine.run("ip", "netns", "delete", self._namespace)

    def _given(self) -> list[Object]:
        """The ConfigMaps as they are, but for `settings`, and the Secrets of the store."""
        maps = [copy.deepcopy(one) for one in self.objects if one["kind"] == "ConfigMap"]
        for one in maps:
            if one["metadata"]["name"].startswith("service-"):
                one["data"] |= self._settings
            else:  # the two sources of a projected volume in one
                one["data"] |= self._secrets["pgbouncer"]
        secrets = [
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": name},
                "data": dict(data),
            }
            for name, data in self._secrets.items()
        ]
        return [*maps, *secrets]

    def _adapted(self, found: Object) -> Object:
        name = found["metadata"]["name"]
        template = found["spec"]["template"]
        spec = copy.deepcopy(template["spec"])
        (container,) = spec["containers"]
        role = "-pgbouncer" if "-pgbouncer@" in container["image"] else ""
        container["image"] = f"localhost/{PROJECT}{role}:local"
        container.pop("lifecycle", None)
        container.pop("ports", None)
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            if "exec" not in container.get(probe, {}):
                container.pop(probe, None)
        for volume in spec["volumes"]:
            if "secret" in volume:
                volume["configMap"] = {"name": volume.pop("secret")["secretName"]}
            if sources := volume.pop("projected", None):
                volume["configMap"] = sources["sources"][0]["configMap"]
        spec["hostNetwork"] = True
        spec["restartPolicy"] = "Never"
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": template["metadata"]["labels"]},
            "spec": spec,
        }


def tag(tree: Path, image: str) -> str:
    """`image` with the tag that compose.yaml gives it, under which its stand-in was built."""
    (found,) = set(re.findall(rf"image: {image}:(\S+)", (tree / "compose.yaml").read_text()))
    return f"docker.io/{image}:{found}"
