"""What kustomize makes of an overlay, or of any choice of components, as objects."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from scripts.manifests.kubectl import find_kubectl

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
BASE = "kubernetes/base/kustomization.yaml"
OVERLAYS = sorted(path.name for path in (DEPLOY / "kubernetes/overlays").iterdir())
# All that an overlay may choose, in an order that works: `hosts` copies what `subdomain` has made.
COMPONENTS = ["subdomain", "hosts", "canary", "hpa", "keda", "key-rotation"]
# The digest of no image: what stands in git until a release names its own.
UNKNOWN = f"sha256:{'0' * 64}"
# In the template itself the service has no name yet.
_ANSWERS = {"project_slug": "service", "domain_name": "service.example.com", "owner": "acme"}
_QUESTION = re.compile(r"\{\{\w+\.(\w+)\}\}")

Object = dict[str, Any]


class ManifestError(RuntimeError):
    """Manifests that cannot be rendered, or that a release must not apply."""


def render(overlay: str) -> list[Object]:
    """Every object of an overlay. Raises `ManifestError` with what kustomize said."""
    return list(yaml.safe_load_all(rendered(overlay)))


def render_with(components: Sequence[str]) -> list[Object]:
    """The base with `components`, in that order."""
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["../../base"],
        "components": [f"../../components/{name}" for name in components],
    }
    return list(yaml.safe_load_all(rendered("chosen", yaml.safe_dump(kustomization))))


def rendered(overlay: str, kustomization: str | None = None) -> str:
    """The YAML of an overlay, or of one that `kustomization` makes under that name."""
    with tempfile.TemporaryDirectory() as name:
        deploy = Path(name) / "deploy"
        shutil.copytree(DEPLOY, deploy)
        base = deploy / BASE
        base.write_text(_QUESTION.sub(lambda found: _ANSWERS[found[1]], base.read_text()))
        folder = deploy / "kubernetes/overlays" / overlay
        if kustomization:
            folder.mkdir()
            (folder / "kustomization.yaml").write_text(kustomization)
        done = subprocess.run(
            [find_kubectl(), "kustomize", folder], capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise ManifestError(f"{overlay}: {done.stderr.strip()}")
    return done.stdout


def for_release(text: str, *, service: str, pgbouncer: str, stable: str | None = None) -> str:
    """`text` with the digests of the two images; `web` keeps `stable`, while its canary is tried.

    Raises `ManifestError` where one is no digest, or `stable` is told and there is no canary.
    """
    for digest in (service, pgbouncer, stable):
        if digest and not re.fullmatch(r"sha256:(?!0{64})[0-9a-f]{64}", digest):
            raise ManifestError(f"{digest!r} is no digest: sha256: and 64 digits.")
    told = text.replace(f"-pgbouncer@{UNKNOWN}", f"-pgbouncer@{pgbouncer}")
    if stable:
        if "\n  name: web-canary\n" not in text:
            raise ManifestError("This overlay has no canary: add components/canary to it.")
        parts = told.split("\n---\n")
        told = "\n---\n".join(
            part.replace(f"@{UNKNOWN}", f"@{stable}") if _is_web(part) else part for part in parts
        )
    return told.replace(f"@{UNKNOWN}", f"@{service}")


def _is_web(document: str) -> bool:
    one = yaml.safe_load(document)
    return (one["kind"], one["metadata"]["name"]) == ("Deployment", "web")
