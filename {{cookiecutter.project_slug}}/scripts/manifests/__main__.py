"""python -m scripts.manifests: check every overlay, or print one for a release.

    python -m scripts.manifests
    python -m scripts.manifests production --service sha256:... --pgbouncer sha256:...

Printed is what `kubectl apply` takes; an image without a digest is refused (exit status 1).
"""

from __future__ import annotations

import argparse
import sys

from scripts.manifests.kubectl import KubectlError
from scripts.manifests.render import (
    COMPONENTS,
    OVERLAYS,
    ManifestError,
    for_release,
    render,
    render_with,
    rendered,
)
from scripts.manifests.schemas import NEWEST, OLDEST, problems


def check() -> int:
    """Every overlay, and all components at once; returns the exit status."""
    made = {name: render(name) for name in OVERLAYS} | {"every component": render_with(COMPONENTS)}
    found = problems(one for objects in made.values() for one in objects)
    for line in found:
        print(line)
    if not found:
        for name, objects in made.items():
            print(f"{name}: {len(objects)} objects fit Kubernetes {OLDEST} and {NEWEST}.")
    return 1 if found else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.manifests")
    parser.add_argument("overlay", nargs="?", choices=OVERLAYS)
    parser.add_argument("--service", help="the digest of the service's image")
    parser.add_argument("--pgbouncer", help="the digest of PgBouncer's image")
    given = parser.parse_args()
    try:
        if given.overlay is None:
            return check()
        told = {"service": given.service, "pgbouncer": given.pgbouncer}
        digests = {name: digest for name, digest in told.items() if digest}
        print(for_release(rendered(given.overlay), digests), end="")
    except (KubectlError, ManifestError) as error:
        print(f"manifests: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
