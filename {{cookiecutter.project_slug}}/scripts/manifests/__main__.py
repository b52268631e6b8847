"""python -m scripts.manifests: check every overlay, or print one for a release.

    python -m scripts.manifests [--write FOLDER]
    python -m scripts.manifests production --service sha256:... --pgbouncer sha256:...

Printed is what `kubectl apply` takes; an image without a digest is refused (exit status 1).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from scripts.manifests.kubectl import KubectlError, install
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
from scripts.servers import ServerError


def write(folder: Path) -> int:
    """Each overlay as a file of its name, for other tools; returns the exit status."""
    for name in OVERLAYS:
        (folder / f"{name}.yaml").write_text(rendered(name), encoding="utf-8")
    return 0


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
    for image, of in (
        ("--service", "the service"),
        ("--pgbouncer", "PgBouncer"),
        ("--stable", "what web keeps while the canary runs --service"),
    ):
        parser.add_argument(image, metavar="DIGEST", default="", help=f"the digest of {of}")
    parser.add_argument("--write", metavar="FOLDER", type=Path, help="put every overlay there")
    given = parser.parse_args()
    try:
        install()
        if given.write:
            return write(given.write)
        if given.overlay is None:
            return check()
        if not (given.service and given.pgbouncer):
            parser.error("a release names the digests of both images")
        text = for_release(
            rendered(given.overlay),
            service=given.service,
            pgbouncer=given.pgbouncer,
            stable=given.stable or None,
        )
        print(text, end="")
    except (KubectlError, ManifestError, ServerError) as error:
        print(f"manifests: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
