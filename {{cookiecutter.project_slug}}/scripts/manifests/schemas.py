"""Whether an API server of the oldest and of the newest supported minor would accept an object.

The schemas come with kubernetes-validate, so that no network is asked; strictly: an unknown field
is an error, where an API server would drop it in silence. kubeconform was weighed: it is on no
package index, and it downloads its schemas. Kinds of a cluster's extensions have none here; what we
use of them is asserted in tests/repository/kubernetes/.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import kubernetes_validate

from scripts.manifests.render import Object

# 1.34 is the first in which preStop's `sleep` needs no feature gate; the newest is the package's.
OLDEST, NEWEST = "1.34", "1.37"
EXTENSIONS = {
    "external-secrets.io/v1",
    "gateway.networking.k8s.io/v1",
    "keda.sh/v1alpha1",
}


def problems(objects: Iterable[Object]) -> list[str]:
    """A line for each object and version that does not fit; equal objects are asked once."""
    different = {json.dumps(one, sort_keys=True): one for one in objects}
    return [
        f"{one['kind']} {one['metadata']['name']}, Kubernetes {version}: {problem}"
        for one in different.values()
        if one["apiVersion"] not in EXTENSIONS
        for version in (OLDEST, NEWEST)
        if (problem := _problem(one, version))
    ]


def _problem(one: dict[str, Any], version: str) -> str | None:
    try:
        kubernetes_validate.validate(one, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return f"{'.'.join(map(str, error.path))}: {error.message}"
    except kubernetes_validate.SchemaNotFoundError as error:
        return str(error.message)
    return None
