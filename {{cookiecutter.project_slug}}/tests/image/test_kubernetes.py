"""The overlay of production runs: images, configuration, secrets and probes belong together."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.image.cluster import Cluster, tag
from tests.image.conftest import Image
from tests.repository.kubernetes.conftest import needs_kubectl

APP, MIGRATOR = secrets.token_urlsafe(24), secrets.token_urlsafe(24)


def store() -> dict[str, dict[str, str]]:
    """What the External Secrets operator would make of the store."""
    common = {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "CACHE_URL": "redis://cache:6379/0",
        "BROKER_URL": "redis://broker:6380/0",
        "EMAIL_URL": "smtp://127.0.0.1:1025",
        "S3_ACCESS_KEY_ID": "access-key",
        "S3_SECRET_ACCESS_KEY": "secret-key",
    }
    pooled = f"postgresql://app:{APP}@pgbouncer:6432/service"
    direct = f"postgresql://migrator:{MIGRATOR}@postgres:5432/service"
    return {
        "service": {**common, "DATABASE_URL": pooled},
        "background": {**common, "DATABASE_URL": f"{pooled}_worker"},
        "migrate": {**common, "DATABASE_DIRECT_URL": direct},
        "pgbouncer": {"userlist.txt": f'"app" "{APP}"\n'},
        "postgres": {
            "postgres_password": secrets.token_urlsafe(24),
            "app_password": APP,
            "migrator_password": MIGRATOR,
        },
    }


@pytest.fixture
def cluster(image: Image) -> Iterator[Cluster]:
    needs_kubectl()
    made = Cluster(
        image.engine,
        image.tree,
        overlay="production",
        image=image.name,
        base=image.base,
        secrets=store(),
        # The pods share the loopback of one machine.
        settings={"FORWARDED_ALLOW_IPS": "127.0.0.1"},
    )
    try:
        yield made
    finally:
        made.down()


def start_servers(cluster: Cluster, tree: Path) -> None:
    valkey = tag(tree, "valkey/valkey")
    for name, port in (("cache", "6379"), ("broker", "6380")):
        command = ["valkey-server", "--port", port, "--protected-mode", "no", "--save", ""]
        cluster.start_server(name, valkey, {"container": {"command": command}})
    deploy = tree / "deploy"
    mounts = {
        "limits": (deploy / "postgres", "/etc/service", "Directory"),
        "roles": (
            deploy / "compose/postgres/roles.sh",
            "/docker-entrypoint-initdb.d/10-roles.sh",
            "File",
        ),
    }
    volumes: list[dict[str, Any]] = [
        {"name": name, "hostPath": {"path": str(path), "type": kind}}
        for name, (path, _, kind) in mounts.items()
    ]
    volumes.append({"name": "passwords", "configMap": {"name": "postgres"}})
    container = {
        "securityContext": {"runAsUser": 999, "runAsGroup": 999},
        "env": [
            {"name": "SERVICE_NAME", "value": "service"},
            {"name": "POSTGRES_PASSWORD_FILE", "value": "/run/secrets/postgres_password"},
            {"name": "POSTGRES_INITDB_ARGS", "value": "--auth-host=scram-sha-256 --encoding=UTF8"},
        ],
        "volumeMounts": [
            *({"name": name, "mountPath": path} for name, (_, path, _) in mounts.items()),
            {"name": "passwords", "mountPath": "/run/secrets"},
        ],
    }
    image = tag(tree, "pgvector/pgvector")
    cluster.start_server("postgres", image, {"container": container, "volumes": volumes})
    cluster.wait(
        lambda: cluster.do(
            "postgres",
            "psql",
            "-h",
            "/run/postgresql",
            "-U",
            "postgres",
            "service",
            "-c",
            "SELECT 1",
        )
    )


def test_production_serves_a_request_and_runs_its_workers(cluster: Cluster, image: Image) -> None:
    start_servers(cluster, image.tree)
    cluster.start("pgbouncer")
    cluster.start("migrate")
    assert cluster.exit_code("migrate") == 0, cluster.logs()
    for name in ("worker-default", "relay", "web"):
        cluster.start(name)

    cluster.wait(lambda: cluster.do("web", "/app/deploy/docker/healthcheck", "/readyz"))
    for name in ("worker-default", "relay"):
        # The probe that the manifest names.
        cluster.wait(lambda name=name: cluster.do(name, "/app/deploy/docker/healthcheck"))  # type: ignore[misc]

    host = next(
        one["spec"]["hostnames"][0]
        for one in cluster.objects
        if one["kind"] == "HTTPRoute" and one["metadata"]["name"] == "web"
    )
    headers = {"Host": host, "X-Forwarded-Proto": "https"}
    ask = (
        "import urllib.request as u;"
        f"r=u.Request('http://127.0.0.1:8000/__heartbeat__', headers={headers!r});"
        "print(u.urlopen(r).read().decode())"
    )
    cluster.wait(lambda: cluster.do("web", "python", "-c", ask), 20)
    answer = json.loads(cluster.do("web", "python", "-c", ask))
    assert answer["status"] == "ok", answer
    assert cluster.do("web", "id", "-u").strip() == "10001"
    with pytest.raises(Exception, match="Read-only"):
        cluster.do("web", "touch", "/app/written")
