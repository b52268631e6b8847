"""buildah and podman with a store of their own: images and containers that no other run sees."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from scripts.servers import Process, ServerError
from scripts.servers.radosgw import debian_mirror
from tests.server.roles import Running
from tests.stack import BASE_DIR

PROGRAMS = ("buildah", "podman", "runc", "mmdebstrap")
INSTALL = "make packages"
# What the images of the tests are hardened by, as Compose and Kubernetes do.
HARDENED = (
    *("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"),  # noqa: S108
    *("--security-opt", "no-new-privileges"),
)
_SUITE = "trixie"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "service-test-servers"
# podman's own defaults ask for a systemd, for limits that only a full root may raise, and for
# networks; the servers of a test are on this machine's loopback.
_CONTAINERS = """\
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
[containers]
netns = "host"
default_ulimits = ["nofile=8192:8192", "nproc=8192:8192"]
"""


class EngineError(RuntimeError):
    """A command of buildah or podman failed; the message holds what it said."""


def missing() -> str | None:
    """Why no image can be built here, or None."""
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    absent = [name for name in PROGRAMS if not shutil.which(name, path=path)]
    if absent:
        return f"{absent[0]} is not installed"
    if (
        os.geteuid()
        and subprocess.run(
            ["sudo", "-n", "true"], check=False, stderr=subprocess.DEVNULL
        ).returncode
    ):
        return "buildah needs root"
    return None


class Engine:
    """Commands of buildah and podman, as root, on the store in `directory`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True)
        (directory / "containers.conf").write_text(_CONTAINERS)
        self._store("overlay")
        try:
            self.run("podman", "info")
        except EngineError:  # below another container's overlay
            self._store("vfs")

    @cached_property
    def environment(self) -> dict[str, str]:
        return {
            "CONTAINERS_CONF": str(self.directory / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.directory / "storage.conf"),
            "BUILDAH_ISOLATION": "chroot",
            "PATH": f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin",
            "HOME": str(Path.home()),
        }

    def command(self, *words: str | Path, env: Mapping[str, str] | None = None) -> list[str]:
        """`words` as root in this engine's environment."""
        variables = [
            f"{name}={value}" for name, value in {**self.environment, **(env or {})}.items()
        ]
        return [*_as_root(), "env", *variables, *map(str, words)]

    def run(self, *words: str | Path, env: Mapping[str, str] | None = None) -> str:
        """What the command prints. Raises `EngineError`."""
        done = subprocess.run(
            self.command(*words, env=env), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise EngineError(f"`{' '.join(map(str, words))}`:\n{done.stdout}{done.stderr}")
        return done.stdout

    def inspect(self, image: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = json.loads(self.run("podman", "image", "inspect", image))
        return found[0]

    def provide(self, image: str) -> None:
        """The base `image`: on Debian made of the newer release's packages, elsewhere pulled."""
        try:
            mirror = debian_mirror()
        except ServerError:
            self.run("buildah", "pull", image)
            return
        root = _CACHE / f"base-{_SUITE}-{platform.machine()}.tar"
        if not root.exists():
            _CACHE.mkdir(parents=True, exist_ok=True)
            fresh = root.with_name(f"{root.stem}-{os.getpid()}.tar")
            # As the public image has them. The certificates are this machine's, which a proxy's
            # authority may be among.
            names = 'ln -s /usr/bin/python3.13 "$1/usr/local/bin/{}"'
            certificates = "/etc/ssl/certs/ca-certificates.crt"
            self.run(
                *("mmdebstrap", "--variant=minbase", "--quiet"),
                "--include=ca-certificates,netbase,tzdata,python3.13-venv",
                *(f"--customize-hook={names.format(name)}" for name in ("python", "python3")),
                f'--customize-hook=cp {certificates} "$1{certificates}"',
                *(
                    f"--dpkgopt=path-exclude=/usr/share/{name}/*"
                    for name in ("man", "doc", "locale")
                ),
                *(_SUITE, fresh, mirror),
            )
            fresh.rename(root)
        self.run("podman", "import", root, image)

    def remove(self) -> None:
        """End every container and delete the store."""
        self.run("podman", "rm", "--all", "--force", "--time", "0")
        subprocess.run([*_as_root(), "rm", "-rf", self.directory], check=False)

    def _store(self, driver: str) -> None:
        (self.directory / "storage.conf").write_text(
            f'[storage]\ndriver = "{driver}"\n'
            f'graphroot = "{self.directory}/store"\nrunroot = "{self.directory}/run"\n'
        )


class Container(Running):
    """A role of the image, hardened, on the network of this machine."""

    def __init__(
        self,
        engine: Engine,
        image: str,
        name: str,
        arguments: Sequence[str],
        env: Mapping[str, str],
        options: Sequence[str] = (),
    ) -> None:
        self.engine = engine
        self.container = f"{name}-{len(list(engine.directory.glob('*.env')))}"
        variables = engine.directory / f"{self.container}.env"
        variables.touch(mode=0o600)
        variables.write_text("".join(f"{key}={value}\n" for key, value in env.items()))
        # Its own lines would stand among the container's: no systemd, so no timer for the health.
        words = ["podman", "--log-level", "fatal", "run", "--rm", "--name", self.container]
        words += ["--network", "host"]
        words += [*HARDENED, "--env-file", str(variables), *options, image, *arguments]
        super().__init__(name, engine.command(*words), env)
        # The client's own environment has no part in it, and its death would leave the container.
        self.process = Process(
            name, engine.command(*words), output=subprocess.PIPE, cwd=BASE_DIR, stop_timeout=60
        )

    @property
    def runs(self) -> bool:
        listed = self.engine.run("podman", "ps", "--quiet", "--filter", f"name={self.container}")
        return bool(listed.strip())

    def do(self, *words: str) -> str:
        """What a command in the container prints. Raises `EngineError`."""
        return self.engine.run("podman", "exec", self.container, *words)

    @property
    def is_healthy(self) -> bool:
        """What its HEALTHCHECK says now. Without systemd podman never asks by itself."""
        try:
            self.engine.run("podman", "healthcheck", "run", self.container)
        except EngineError:
            return False
        return True

    def stop(self, grace: int = 50) -> int | None:
        """As an engine does: STOPSIGNAL, then SIGKILL after `grace` seconds. Its exit code."""
        if self.process.running and self.runs:
            self.engine.run("podman", "stop", "--time", str(grace), self.container)
            return self.wait_for_exit(10)
        return super().stop()


def _as_root() -> tuple[str, ...]:
    return ("sudo", "-n") if os.geteuid() else ()
