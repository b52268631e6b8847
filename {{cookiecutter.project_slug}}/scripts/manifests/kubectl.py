"""Which kubectl renders: one whose kustomize knows what the manifests use.

That on the PATH, or the newer Debian release's, which `python -m scripts.manifests.kubectl` unpacks
into the user's cache: Debian 12 has 1.20.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.servers import ServerError
from scripts.servers.radosgw import download

INSTALL = "python -m scripts.manifests.kubectl, or https://kubernetes.io/docs/tasks/tools/"
# The first whose replacements may write into a part of a value; kubectl 1.29 has it.
OLDEST = (5, 0)
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "service-test-servers"


class KubectlError(RuntimeError):
    """There is no usable kubectl; the message says where one comes from."""


def find_kubectl() -> str:
    """The path of the program. Raises `KubectlError`."""
    for found in (shutil.which("kubectl"), str(_unpacked() / "usr/bin/kubectl")):
        if found and Path(found).exists() and _is_recent(found):
            return found
    raise KubectlError(f"no kubectl of 1.29 or later is installed: {INSTALL}")


def install() -> str:
    """Unpack one where none is found. Raises `ServerError` where there is no apt of Debian."""
    try:
        return find_kubectl()
    except KubectlError:
        _CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_CACHE) as name:
        root = Path(name) / "root"
        for package in download("kubectl", Path(name), newer=True):
            if package.name.startswith("kubectl_"):  # it is one static program
                subprocess.run(["dpkg-deb", "--extract", package, root], check=True)
        try:
            root.rename(_unpacked())  # whole or not at all; another run may have been faster
        except OSError:
            if not _unpacked().exists():
                raise
    return find_kubectl()


def _unpacked() -> Path:
    return _CACHE / f"kubectl-{platform.machine()}"


def _is_recent(program: str) -> bool:
    said = subprocess.run(
        [program, "version", "--client"], capture_output=True, text=True, check=False
    ).stdout
    version = re.search(r"Kustomize Version: v(\d+)\.(\d+)", said)
    return version is not None and (int(version[1]), int(version[2])) >= OLDEST


if __name__ == "__main__":
    try:
        print(install())
    except ServerError as error:
        sys.exit(f"kubectl: {error}")
