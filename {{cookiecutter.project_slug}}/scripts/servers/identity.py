"""As whom a server runs that refuses root: PostgreSQL and PgBouncer.

Nothing is needed for an ordinary user. Root (a container, a CI job) gives the server's folder to
`nobody` and drops to it where that user can reach the program and the folder; below a closed home
directory it enters a user namespace, in which root's own files belong to `nobody`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_NOBODY = 65534  # the kernel's overflow id: owns nothing on any Linux system
_NAMESPACE = ("unshare", "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}")


@dataclass(frozen=True)
class Identity:
    """What to put before a command, and how to call Popen, so that it runs unprivileged."""

    prefix: tuple[str, ...] = ()
    popen: dict[str, Any] = field(default_factory=dict)
    owner: int | None = None

    def own(self, *paths: Path) -> None:
        """Give `paths`, folders with all below them, to the user that the server will be."""
        if self.owner is None:
            return
        for path in (below for top in paths for below in (top, *top.rglob("*"))):
            if path.lstat().st_uid != self.owner:
                os.chown(path, self.owner, self.owner, follow_symlinks=False)


def unprivileged(program: Path, folder: Path) -> Identity:
    """Choose an identity that can run `program` and work in `folder`, which exists.

    Raises `PermissionError`, with the remedy, when root has neither way down.
    """
    if os.geteuid() != 0:
        return Identity()
    dropped = Identity(popen={"user": _NOBODY, "group": _NOBODY, "extra_groups": []}, owner=_NOBODY)
    owner = folder.stat().st_uid
    os.chown(folder, _NOBODY, _NOBODY)
    if _works(dropped, program, folder):
        return dropped
    os.chown(folder, owner, owner)
    namespace = Identity(prefix=_NAMESPACE, owner=0)
    if shutil.which("unshare") and _works(namespace, program, folder):
        return namespace
    raise PermissionError(
        f"{program.name} refuses to run as root, the user nobody cannot reach {program} or "
        f"{folder}, and user namespaces are closed: run this as an ordinary user."
    )


def _works(identity: Identity, program: Path, folder: Path) -> bool:
    probe = subprocess.run(
        [*identity.prefix, "sh", "-c", 'cd "$0" && exec "$1" --version', folder, program],
        capture_output=True,
        check=False,
        cwd="/",
        **identity.popen,
    )
    return probe.returncode == 0
