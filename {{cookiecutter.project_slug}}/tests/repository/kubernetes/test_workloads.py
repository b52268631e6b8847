"""Every role runs, once, with what it needs to start."""

from __future__ import annotations

import re
from pathlib import Path

from config.env import Environment
from config.settings.components.tasks import CELERY_TASK_QUEUES
from core.environment import declared
from scripts.manifests.render import COMPONENTS, DEPLOY
from tests.repository.kubernetes.objects import QUEUES, Manifests
from tests.stack import BASE_DIR

START = (BASE_DIR / "scripts/start.sh").read_text(encoding="utf-8")
WORKERS = {f"worker-{queue}" for queue in QUEUES}


def test_each_role_of_the_image_is_a_workload(manifests: Manifests) -> None:
    canary = {"web-canary"} & manifests.names("Deployment")
    assert manifests.names("Deployment") == {
        *("web", "asgi", "relay", "beat", "pgbouncer"),
        *(WORKERS | canary),
    }
    assert manifests.names("Job") == {"migrate"}
    roles = set(re.findall(r"^([a-z]+)\)$", START, re.MULTILINE))
    started = {manifests.main(name).get("args", [""])[0] for name in manifests.of_the_service()}
    assert started - {""} == roles


def test_each_queue_of_the_settings_has_a_worker_of_its_own(manifests: Manifests) -> None:
    assert [queue.name for queue in CELERY_TASK_QUEUES] == list(QUEUES)
    for queue in QUEUES:
        assert manifests.main(f"worker-{queue}")["args"][:2] == ["worker", queue]


def test_the_relay_is_two_and_beat_is_one_that_ends_before_the_next_begins(
    manifests: Manifests,
) -> None:
    assert manifests.replicas("relay") == (2, 2)
    assert manifests.replicas("beat") == (1, 1)
    assert manifests.one("Deployment", "beat")["spec"]["strategy"] == {"type": "Recreate"}


def test_a_cronjob_is_a_command_of_the_service_and_not_a_task_of_beat(
    manifests: Manifests,
) -> None:
    commands = {path.stem for path in Path(BASE_DIR).glob("*/*/management/commands/[a-z]*.py")}
    assert manifests.names("CronJob") == {"orphaned-files"}
    for name in manifests.names("CronJob"):
        command = manifests.main(name)["command"]
        assert command[-2:-1] == ["manage.py"]
        assert command[-1] in commands
    for one in manifests.all("CronJob"):
        assert one["spec"]["concurrencyPolicy"] == "Forbid"
        assert one["spec"]["timeZone"] == "Etc/UTC"
        assert one["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"] <= 3600


def test_pgbouncer_runs_from_the_file_that_the_budget_is_read_from(manifests: Manifests) -> None:
    (given,) = [
        one for one in manifests.all("ConfigMap") if one["metadata"]["name"].startswith("pgbouncer")
    ]
    assert given["data"] == {"pgbouncer.ini": (DEPLOY / "pgbouncer/pgbouncer.ini").read_text()}
    (volume,) = [one for one in manifests.pod("pgbouncer")["spec"]["volumes"] if "projected" in one]
    sources = volume["projected"]["sources"]
    assert sources == [
        {"configMap": {"name": given["metadata"]["name"]}},
        {"secret": {"name": "pgbouncer"}},
    ]
    mounts = {one["name"]: one["mountPath"] for one in manifests.main("pgbouncer")["volumeMounts"]}
    assert mounts[volume["name"]] == "/etc/pgbouncer"


def test_the_names_that_pgbouncer_asks_for_are_services(manifests: Manifests) -> None:
    text = (DEPLOY / "pgbouncer/pgbouncer.ini").read_text()
    assert set(re.findall(r"^service\w* = host=(\S+)", text, re.MULTILINE)) == {"postgres"}
    assert manifests.one("Service", "postgres")["spec"]["type"] == "ExternalName"


def test_a_service_leads_to_a_port_of_a_pod(manifests: Manifests) -> None:
    labels = {name: pod["metadata"]["labels"] for name, pod in manifests.pods()}
    for one in manifests.all("Service"):
        wanted = one["spec"].get("selector")
        if wanted is None:
            continue
        taken = [name for name, given in labels.items() if wanted.items() <= given.items()]
        assert taken == [one["metadata"]["name"]]
        ports = {port["name"] for port in manifests.main(taken[0])["ports"]}
        assert {port["targetPort"] for port in one["spec"]["ports"]} <= ports


def test_a_container_listens_where_the_environment_says(manifests: Manifests) -> None:

    default = {one.name: one.defaults.get("*") for one in declared(Environment)}
    for name, port in (("web", "PORT"), ("asgi", "ASGI_PORT")):
        ports = {one["name"]: one["containerPort"] for one in manifests.main(name)["ports"]}
        assert ports == {"http": default[port], "management": default["METRICS_PORT"]}


def test_everything_stands_in_the_namespace_of_the_service(manifests: Manifests) -> None:
    (namespace,) = manifests.names("Namespace")
    wide = {"Namespace", "PriorityClass"}
    placed = [one for one in manifests.objects if one["kind"] not in wide]
    assert {one["metadata"].get("namespace") for one in placed} == {namespace}
    assert manifests.config()["SERVICE_NAME"] == namespace


def test_every_component_but_the_two_that_the_base_and_order_need_can_be_chosen() -> None:
    below = {path.name for path in (DEPLOY / "kubernetes/components").iterdir()}
    assert below == {*COMPONENTS, "hardened"}
