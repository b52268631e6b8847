"""Which kubectl renders: the one on the PATH, if its kustomize knows what the manifests use."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache

INSTALL = "https://kubernetes.io/docs/tasks/tools/ (1.29 or later)"
# The first whose replacements may write into a part of a value; kubectl 1.29 has it.
OLDEST = (5, 0)


class KubectlError(RuntimeError):
    """There is no usable kubectl; the message says where one comes from."""


@cache
def find_kubectl() -> str:
    """The path of the program. Raises `KubectlError`."""
    found = shutil.which("kubectl")
    if not found:
        raise KubectlError(f"kubectl is not installed: {INSTALL}")
    said = subprocess.run(
        [found, "version", "--client"], capture_output=True, text=True, check=False
    ).stdout
    version = re.search(r"Kustomize Version: v(\d+)\.(\d+)", said)
    if not version or (int(version[1]), int(version[2])) < OLDEST:
        raise KubectlError(f"{found} is too old: {INSTALL}")
    return found
