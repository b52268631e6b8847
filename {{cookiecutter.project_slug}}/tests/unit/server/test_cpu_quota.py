"""Workers are counted by the cgroup's quota, in every layout that a kernel or a runtime offers."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.server.cpu import quota, worker_count


def machine(root: Path, cgroup: str, **files: str) -> Path:
    """A fake `/` with /proc/self/cgroup and, by path below /sys/fs/cgroup, files."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(cgroup)
    for path, text in files.items():
        file = root / "sys/fs/cgroup" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


V2_CONTAINER = {"cpu.max": "250000 100000\n"}
V1_CONTAINER = {
    "cpu,cpuacct/cpu.cfs_quota_us": "50000\n",
    "cpu,cpuacct/cpu.cfs_period_us": "100000\n",
}
V1_LINE = "4:cpu,cpuacct:/kubepods/pod1/abc\n3:cpuset:/x\n"


@pytest.mark.parametrize(
    ("cgroup", "files", "cpus"),
    [
        ("0::/\n", V2_CONTAINER, 2.5),
        ("0::/\n", {"cpu.max": "max 100000\n"}, None),
        ("0::/\n", {}, None),
        ("0::/a.slice/b.service\n", {"a.slice/b.service/cpu.max": "150000 100000"}, 1.5),
        # The tightest level counts, wherever it stands.
        (
            "0::/a.slice/b.service\n",
            {"a.slice/b.service/cpu.max": "400000 100000", "a.slice/cpu.max": "100000 100000"},
            1.0,
        ),
        # A container without a cgroup namespace: the path is the host's, the mount is its own.
        (V1_LINE, V1_CONTAINER, 0.5),
        (V1_LINE, V1_CONTAINER | {"cpu,cpuacct/cpu.cfs_quota_us": "-1\n"}, None),
        (
            "1:cpu:/job\n",
            {"cpu/job/cpu.cfs_quota_us": "300000", "cpu/job/cpu.cfs_period_us": "100000"},
            3.0,
        ),
        # systemd's hybrid: the limit is in version 1, version 2 only names the group.
        (
            "1:cpu:/\n0::/\n",
            {"cpu/cpu.cfs_quota_us": "20000", "cpu/cpu.cfs_period_us": "100000"},
            0.2,
        ),
    ],
)
def test_the_quota_is_read_from_the_tightest_level(
    tmp_path: Path, cgroup: str, files: dict[str, str], cpus: float | None
) -> None:
    assert quota(machine(tmp_path, cgroup, **files)) == cpus


def test_no_cgroups_at_all_means_no_quota(tmp_path: Path) -> None:
    assert quota(tmp_path) is None


@pytest.mark.parametrize(
    ("limit", "workers"),
    [("10000", 2), ("100000", 2), ("110000", 3), ("250000", 4), ("9900000", 64), ("max", 2)],
)
def test_workers_are_the_quota_rounded_up_plus_one(
    tmp_path: Path, limit: str, workers: int
) -> None:
    root = machine(tmp_path, "0::/\n", **{"cpu.max": f"{limit} 100000"})

    assert worker_count(otherwise=2, most=64, root=root) == workers
