"""How many CPUs this process may use, by its cgroup and not by its machine.

`os.cpu_count()` in a container is the node's: 64 workers on half a core. Python 3.13's
`os.process_cpu_count()` knows affinity but no quota.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

type _Reader = Callable[[Path], float | None]


def worker_count(*, otherwise: int, most: int, root: Path = Path("/")) -> int:
    """Worker processes for the cgroup's CPU quota: rounded up plus one, at most `most`.

    The one more keeps the quota used while another waits for the network. `otherwise` is the
    answer where no quota is set. `root` is where proc and sys are mounted.
    """
    cpus = quota(root)
    return otherwise if cpus is None else min(math.ceil(cpus) + 1, most)


def quota(root: Path = Path("/")) -> float | None:
    """The CPUs that cgroup v2 or v1 grants, the tightest of all levels; None without a limit."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return None
    limits = []
    for line in lines:
        hierarchy, controllers, path = line.split(":", 2)
        if hierarchy == "0":
            limits += _limits(root / "sys/fs/cgroup", path, _version_2)
        elif "cpu" in controllers.split(","):
            limits += _limits(root / "sys/fs/cgroup" / controllers, path, _version_1)
            limits += _limits(root / "sys/fs/cgroup/cpu", path, _version_1)
    return min(limits, default=None)


def _limits(mount: Path, path: str, read: _Reader) -> list[float]:
    # A limit may stand at any level above. In a container without a cgroup namespace the path is
    # the host's and does not exist below the mount; its root then is the container's own group.
    group = mount / path.lstrip("/")
    levels = [group, *group.parents]
    return [
        limit for level in levels[: levels.index(mount) + 1] if (limit := read(level)) is not None
    ]


def _version_2(group: Path) -> float | None:
    words = _words(group / "cpu.max")  # "200000 100000", or "max 100000"
    return int(words[0]) / int(words[1]) if len(words) == 2 and words[0] != "max" else None


def _version_1(group: Path) -> float | None:
    microseconds = _words(group / "cpu.cfs_quota_us")  # -1 without a limit
    period = _words(group / "cpu.cfs_period_us")
    if not microseconds or not period or int(microseconds[0]) <= 0:
        return None
    return int(microseconds[0]) / int(period[0])


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []
