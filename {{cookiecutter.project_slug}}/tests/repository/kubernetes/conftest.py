"""`manifests`: each overlay, and the base with every component and with none, rendered once."""

from __future__ import annotations

from functools import cache

import pytest

from scripts.manifests.kubectl import KubectlError, find_kubectl, install
from scripts.manifests.render import COMPONENTS, OVERLAYS, render, render_with
from tests.repository.kubernetes.objects import Manifests
from tests.stack import IN_CI

VARIANTS = {"every component": COMPONENTS, "no autoscaler": ["hosts"]}


@cache
def made(name: str) -> Manifests:
    chosen = VARIANTS.get(name)
    return Manifests(name, render_with(chosen) if chosen else render(name))


@pytest.fixture(params=[*OVERLAYS, *VARIANTS])
def manifests(request: pytest.FixtureRequest) -> Manifests:
    needs_kubectl()
    return made(request.param)


@pytest.fixture
def every_component() -> Manifests:
    needs_kubectl()
    return made("every component")


@pytest.fixture
def production() -> Manifests:
    needs_kubectl()
    return made("production")


@pytest.fixture
def staging() -> Manifests:
    needs_kubectl()
    return made("staging")


def needs_kubectl() -> None:
    """Skipped where it is missing; with CI=true it is unpacked, or its absence is an error."""
    if IN_CI:
        install()
    try:
        find_kubectl()
    except KubectlError as error:
        pytest.skip(str(error))
