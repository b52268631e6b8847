"""Pod Security's `restricted`, and what that leaves open."""

from __future__ import annotations

from scripts.manifests.schemas import OLDEST
from tests.repository.kubernetes.objects import Manifests

LEVELS = ("enforce", "audit", "warn")
TMP, SHM = "/tmp", "/dev/shm"  # noqa: S108


def test_the_namespace_refuses_what_is_not_restricted(manifests: Manifests) -> None:
    (namespace,) = manifests.all("Namespace")
    given = namespace["metadata"]["labels"]
    for level in LEVELS:
        assert given[f"pod-security.kubernetes.io/{level}"] == "restricted"
        assert given[f"pod-security.kubernetes.io/{level}-version"] == f"v{OLDEST}"


def test_a_pod_is_a_user_without_rights(manifests: Manifests) -> None:
    for name, pod in manifests.pods():
        context = pod["spec"]["securityContext"]
        assert context == {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        }, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod["spec"].keys()


def test_a_container_cannot_change_itself_or_become_more(manifests: Manifests) -> None:
    for name, pod in manifests.pods():
        assert "initContainers" not in pod["spec"]
        for container in pod["spec"]["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name


def test_what_a_container_writes_is_a_bounded_tmp(manifests: Manifests) -> None:
    for name, pod in manifests.pods():
        volumes = {one["name"]: one for one in pod["spec"]["volumes"]}
        for container in pod["spec"]["containers"]:
            mounts = {one["mountPath"]: one for one in container["volumeMounts"]}
            assert volumes[mounts[TMP]["name"]]["emptyDir"]["sizeLimit"] == "128Mi", name
            for path, mount in mounts.items():
                assert mount.get("readOnly") is True or path in (TMP, SHM), name
        kinds = {kind for one in volumes.values() for kind in one if kind != "name"}
        assert kinds <= {"emptyDir", "secret", "projected"}, name


def test_a_pod_has_an_identity_of_its_own_and_no_way_to_use_it(manifests: Manifests) -> None:
    (account,) = manifests.all("ServiceAccount")
    assert account["automountServiceAccountToken"] is False
    for name, pod in manifests.pods():
        assert pod["spec"]["serviceAccountName"] == account["metadata"]["name"], name
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert pod["spec"]["enableServiceLinks"] is False
    rights = {"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"}
    assert not rights & {one["kind"] for one in manifests.objects}
