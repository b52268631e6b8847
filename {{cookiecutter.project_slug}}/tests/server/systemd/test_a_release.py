"""deploy/systemd/release.sh, with the units' own commands, while clients ask all the time."""

from __future__ import annotations

import fcntl
import json
import secrets
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from scripts.servers import HOST
from tests.server.systemd.conftest import status
from tests.server.systemd.machine import Machine
from tests.server.watching import Watched, watching
from tests.stack import BASE_DIR

OTHERS = {
    f"service-{name}.service"
    for name in ("worker@high", "worker@default", "worker@low", "relay", "beat", "asgi")
}
Done = subprocess.CompletedProcess[str]


def version(machine: Machine, unit: str = "service-web.service") -> str:
    connection = HTTPConnection(HOST, int(machine.ports[unit]), timeout=10)
    try:
        connection.request("GET", "/__version__")
        found: str = json.loads(connection.getresponse().read())["version"]
        return found
    finally:
        connection.close()


def current(machine: Machine) -> str:
    return (machine.root / "current").readlink().name


def name() -> str:
    return f"r-{secrets.token_hex(3)}"


@contextmanager
def nothing_may_fail(machine: Machine) -> Iterator[Watched]:
    with watching(lambda: status(machine), threads=2) as requests:
        yield requests
        requests.wait_for_more()
    assert requests.answers.keys() == {404}, requests.answers
    assert requests.total > 50


@pytest.fixture
def only_web(machine: Machine) -> Iterator[Machine]:
    """The others are said to run: what is asked is what web does."""
    machine.pretended |= OTHERS
    yield machine
    machine.pretended -= OTHERS
    machine.failing.clear()


def test_every_role_runs_the_release_that_was_shipped(machine: Machine) -> None:
    if not machine.main.keys() >= OTHERS:  # another test only said that they run
        done = machine.run(machine.release(name()))
        assert done.returncode == 0, done.stdout + done.stderr
    for unit in [*OTHERS, "service-web.service"]:
        assert Path("/proc", str(machine.main[unit]), "cwd").resolve().parent.name == "releases"
    assert status(machine) == 404
    assert (machine.root / "static" / "staticfiles.json").exists()
    assert version(machine, "service-asgi.service").startswith(("first", "r-"))
    assert "READY=1\nSTATUS=Gunicorn arbiter booted" in machine.notified


def test_a_release_and_its_rollback_fail_no_request(only_web: Machine) -> None:
    machine, before, new = only_web, current(only_web), name()
    with nothing_may_fail(machine):
        done = machine.run(machine.release(new))
        assert done.returncode == 0, done.stdout + done.stderr + machine.log("service-web.service")
        assert version(machine) == current(machine) == new
        main = machine.main["service-web.service"]
        assert Path("/proc", str(main), "cwd").resolve() == machine.root / "releases" / new
        assert f"MAINPID={main}" in machine.notified

        back = machine.run("rollback")
        assert back.returncode == 0, back.stdout + back.stderr
        assert version(machine) == current(machine) == before
    # The page that the release before sent still finds its files.
    assert (machine.root / "releases" / new / "staticfiles" / f"{new}.css").exists()


def test_files_of_the_release_before_are_kept_for_pages_that_are_open(only_web: Machine) -> None:
    first, second = name(), name()
    for each in (first, second):
        assert only_web.run(only_web.release(each)).returncode == 0
    assert {f"{first}.css", f"{second}.css"} <= {
        path.name for path in (only_web.root / "static").iterdir()
    }


def test_a_release_that_does_not_load_is_taken_back_and_fails_no_request(only_web: Machine) -> None:
    machine, before, new = only_web, current(only_web), name()
    broken = machine.release(new)
    # What no check reads, and what a start does.
    (broken / "config" / "gunicorn.py").write_text("raise RuntimeError('broken')\n")
    main = machine.main["service-web.service"]
    with nothing_may_fail(machine):
        done = machine.run(broken)
    assert done.returncode == 1
    assert f"{new} did not come up; {before} serves" in done.stderr
    assert version(machine) == current(machine) == before
    assert machine.main["service-web.service"] == main
    assert not (machine.root / "releases" / new).exists()


def test_when_another_role_does_not_come_up_web_goes_back_and_fails_no_request(
    only_web: Machine,
) -> None:
    machine, before, new = only_web, current(only_web), name()
    machine.failing.add("service-asgi.service")
    with nothing_may_fail(machine):
        done = machine.run(machine.release(new))
    assert done.returncode == 1
    assert f"{new} did not come up; {before} serves" in done.stderr
    assert version(machine) == current(machine) == before


def test_a_bad_environment_stops_a_release_before_it_changes_anything(only_web: Machine) -> None:
    machine, before, new = only_web, current(only_web), name()
    told = machine.environment.read_text()
    machine.environment.write_text(told + "LOG_LEVEL=LOUD\n")
    machine.calls.clear()
    try:
        done = machine.run(machine.release(new))
    finally:
        machine.environment.write_text(told)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        (
            f"release: the environment of this machine is not what {new} needs: "
            f"journalctl -u service-check@{new}"
        )
    ]
    assert "LOG_LEVEL" in machine.log(f"service-check@{new}.service")
    assert version(machine) == current(machine) == before
    assert [call[0] for call in machine.calls] == ["start", "show"]


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ("nothing-there", "there is no folder or archive"),
        ("empty", "holds no release of the service: no manage.py"),
        ("text.tar", "is not a tar archive"),
        ("has space", "is no name of a release"),
        ("first", "there is a release first already"),
    ],
)
def test_a_bad_argument_is_one_line(
    machine: Machine, tmp_path: Path, argument: str, says: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "has space").mkdir()
    (tmp_path / "first").mkdir()
    (tmp_path / "text.tar").write_text("text")
    done = machine.run(tmp_path / argument)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert says in done.stderr


def test_an_archive_with_a_folder_around_everything_is_a_release(only_web: Machine) -> None:
    new = name()
    archive = only_web.folder / f"{new}.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(only_web.release(new), arcname="service-abc")
    done = only_web.run(archive)
    assert done.returncode == 0, done.stdout + done.stderr
    assert version(only_web) == new


def test_two_releases_at_once_are_one(machine: Machine) -> None:
    with (machine.root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = machine.run("rollback")
    assert done.returncode == 1
    assert done.stderr == "release: another release is being shipped on this machine\n"


def test_without_an_argument_it_says_how_it_is_used() -> None:
    done = subprocess.run(
        [BASE_DIR / "deploy" / "systemd" / "release.sh"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 64
    assert done.stderr.startswith("Usage: release.sh ")
