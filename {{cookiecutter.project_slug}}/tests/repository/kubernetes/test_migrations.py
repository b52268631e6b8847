"""One migration before the code that needs it, with the release's image, past the pooler."""

from __future__ import annotations

from tests.repository.kubernetes.objects import Manifests
from tests.repository.test_database_numbers import role

# Kubernetes waits 10 s before the second attempt and doubles that before each further one.
BACKOFF = 10


def test_the_migration_runs_the_image_of_the_release(manifests: Manifests) -> None:
    assert manifests.main("migrate")["image"] == manifests.main("web")["image"]
    assert manifests.main("migrate")["args"] == ["migrate"]


def test_it_goes_past_the_pooler(manifests: Manifests) -> None:
    said = {one["name"]: one["value"] for one in manifests.main("migrate")["env"]}
    assert said == {"DATABASE_DIRECT_URL_FILE": "/run/secrets/service/DATABASE_DIRECT_URL"}


def test_it_is_tried_again_and_ends(manifests: Manifests) -> None:
    spec = manifests.one("Job", "migrate")["spec"]
    attempts = spec["backoffLimit"] + 1
    assert 1 <= attempts <= 3
    waits = sum(BACKOFF * 2**number for number in range(spec["backoffLimit"]))
    longest = role("migrator", "statement_timeout")
    needed = attempts * role("migrator", "lock_timeout") + waits + longest
    assert spec["activeDeadlineSeconds"] >= needed
    assert spec["ttlSecondsAfterFinished"] == 86_400
    assert manifests.pod("migrate")["spec"]["restartPolicy"] == "Never"


def test_it_says_that_it_expands_the_schema(manifests: Manifests) -> None:
    assert manifests.one("Job", "migrate")["metadata"]["labels"]["phase"] == "expand"


def test_argo_runs_it_after_the_configuration_and_deletes_the_last_one(
    manifests: Manifests,
) -> None:
    annotations = manifests.one("Job", "migrate")["metadata"]["annotations"]
    assert annotations == {
        "argocd.argoproj.io/hook": "Sync",
        "argocd.argoproj.io/sync-wave": "1",
        "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
    }


def test_consumers_are_rolled_before_what_sends_them_tasks(manifests: Manifests) -> None:
    wave = "argocd.argoproj.io/sync-wave"
    waves = {
        one["metadata"]["name"]: int(one["metadata"].get("annotations", {}).get(wave, 0))
        for one in manifests.all("Deployment")
    }
    before = int(manifests.one("Job", "migrate")["metadata"]["annotations"][wave])
    consumers = {name for name in waves if name.startswith("worker-") or name in ("relay", "beat")}
    requests = {name for name in waves if name.partition("-")[0] in ("web", "asgi")}
    assert waves["pgbouncer"] < before
    assert {waves[name] for name in consumers} == {before + 1}
    assert {waves[name] for name in requests} == {before + 2}


def test_no_pod_migrates_when_it_starts(manifests: Manifests) -> None:
    for name, pod in manifests.pods():
        assert "initContainers" not in pod["spec"]
        if name != "migrate":
            assert "migrate" not in str(pod["spec"]["containers"][0].get("args", []))
