"""deploy/systemd: units that systemd understands and that confine, and snippets that load."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.server.systemd.units import UNITS, names, settings, text_of

# Of systemd-analyze, which gives a unit without any confinement 9.6 and calls below 2 "OK".
EXPOSURE_AT_MOST = 3.0
BASE_DIR = UNITS.parents[1]
ROLES = {"web", "asgi", "relay", "beat", "worker@high"}


def program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if not found:
        pytest.skip(f"{name} is not installed")
    return found


@pytest.fixture
def placed(tmp_path: Path) -> Path:
    """The units as they would be installed, with a release where they look for one."""
    units, service = tmp_path / "units", tmp_path / "service"
    shutil.copytree(UNITS, units)
    (service / "releases").mkdir(parents=True)
    (service / "current").symlink_to(BASE_DIR)
    (service / "releases" / "high").symlink_to(BASE_DIR)
    for path in units.glob("*.service"):
        path.write_text(path.read_text().replace("/srv/service", str(service)))
        if "@" in path.name:
            (units / path.name.replace("@", "@high")).symlink_to(path.name)
    return units


def analyze(placed: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program("systemd-analyze"), *words],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{placed}:"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_systemd_understands_every_line(placed: Path) -> None:
    units = [*names(), "service.target"]
    done = analyze(placed, "verify", "--man=no", *units)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_line_that_it_does_not_know_is_found(placed: Path) -> None:
    unit = placed / "service-web.service"
    unit.write_text(unit.read_text().replace("WatchdogSec=", "WatchdogSecs="))
    assert "WatchdogSecs" in analyze(placed, "verify", "--man=no", unit.name).stderr


@pytest.mark.parametrize("unit", names())
def test_little_of_the_machine_is_exposed(placed: Path, unit: str) -> None:
    done = analyze(placed, "security", "--offline=true", "--no-pager", str(placed / unit))
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done.stderr
    assert float(found[1]) <= EXPOSURE_AT_MOST, done.stdout


def test_every_role_is_a_unit_that_comes_back_and_belongs_to_the_service() -> None:
    long = {unit for unit in names() if settings(text_of(unit))["Type"] != ["oneshot"]}
    assert long == {f"service-{role}.service" for role in ROLES}
    for unit in long:
        told = settings(text_of(unit))
        assert told["Restart"] == ["always"]
        assert float(told["RestartSec"][0]) < 5  # SRV-20: seconds from a SIGKILL to a new process
        assert told["User"] == ["service"]
        assert told["PartOf"] == ["service.target"]
        assert "service.target" in told["WantedBy"]
        assert int(told["WatchdogSec"][0]) >= 60


def test_the_firewall_loads() -> None:
    rules = UNITS / "nftables.conf"
    done = subprocess.run(
        [program("nft"), "--check", "--file", rules], capture_output=True, text=True, check=False
    )
    if "Operation not permitted" in done.stderr:
        pytest.skip("nft --check needs root")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.findall(r"hook input .* policy (\w+)", rules.read_text()) == ["drop"]


def test_the_ssh_server_takes_keys_alone_and_never_root(tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run([program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    (tmp_path / "sshd_config").write_text(
        f"HostKey {key}\nInclude {UNITS / 'sshd.conf'}\nPasswordAuthentication yes\n"
    )
    done = subprocess.run(
        [program("sshd"), "-T", "-f", tmp_path / "sshd_config"],
        capture_output=True,
        text=True,
        check=False,
    )
    effective = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert effective, done.stderr
    assert effective["permitrootlogin"] == "no"
    # Debian's own file says yes below its Include: the first value wins.
    assert effective["passwordauthentication"] == "no"
    assert effective["kbdinteractiveauthentication"] == "no"
    assert effective["allowgroups"] == "ssh-users"
    assert effective["allowtcpforwarding"] == "no"
