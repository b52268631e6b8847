"""An API server of the oldest and of the newest supported minor accepts every object."""

from __future__ import annotations

import copy

import kubernetes_validate

from scripts.manifests.schemas import EXTENSIONS, NEWEST, OLDEST, problems
from tests.repository.kubernetes.objects import Manifests


def test_every_object_fits_both_versions(manifests: Manifests) -> None:
    assert problems(manifests.objects) == []


def test_a_misspelt_field_a_wrong_type_and_an_unknown_kind_are_found(production: Manifests) -> None:
    web = production.one("Deployment", "web")
    misspelt, wrong, unknown = (copy.deepcopy(web) for _ in range(3))
    misspelt["spec"]["minReadySecond"] = misspelt["spec"].pop("minReadySeconds")
    wrong["spec"]["revisionHistoryLimit"] = "5"
    unknown["apiVersion"] = "apps/v1beta1"
    for broken in (misspelt, wrong, unknown):
        assert len(problems([broken])) == 2  # for each version


def test_what_has_no_schema_here_is_an_extension_that_tests_name(manifests: Manifests) -> None:
    from_extensions = {one["kind"] for one in manifests.objects if one["apiVersion"] in EXTENSIONS}
    asserted = {"ExternalSecret", "HTTPRoute", "ScaledObject", "TriggerAuthentication"}
    assert from_extensions <= asserted


def test_both_versions_have_schemas() -> None:
    known = kubernetes_validate.utils.all_versions()
    assert {f"{OLDEST}.0", f"{NEWEST}.0"} <= set(known)
    assert kubernetes_validate.latest_version() == f"{NEWEST}.0"
