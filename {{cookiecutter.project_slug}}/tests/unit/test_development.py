"""Who holds .data/ is told in one sentence, whatever its holder has written by then."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import development
from scripts.development import AlreadyRunning
from scripts.servers import ServerError

STARTING = "Another command is starting here: try again in a moment."


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(development, "DATA", tmp_path)
    monkeypatch.setattr(development, "_NOTE", tmp_path / "run.json")
    monkeypatch.setattr(development, "_STARTED", tmp_path / "started")
    monkeypatch.setattr(development, "given", dict)
    return tmp_path


def refused() -> AlreadyRunning:
    with pytest.raises(AlreadyRunning) as caught, development.servers("make run"):
        pass
    return caught.value


def test_the_holder_is_named_by_the_command_that_it_is(data: Path) -> None:
    with development.servers("manage.py shell") as stack:
        told = refused()
    assert str(told) == (
        f"`manage.py shell` is running here already, as process {os.getpid()}: stop it first."
    )
    assert told.variables == stack.variables
    assert not (data / "run.json").exists()


def test_whoever_comes_while_the_holder_looks_for_its_servers_is_told_to_wait(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[AlreadyRunning] = []
    (data / "run.json").write_text(note())  # of a run before, which was killed
    monkeypatch.setattr(development, "refuse_unreachable", lambda _: told.append(refused()))
    with development.servers("make run"):
        pass
    assert [(str(one), one.variables) for one in told] == [(STARTING, None)]


def note(**changed: object) -> str:
    return json.dumps({"pid": os.getpid(), "command": "make run", "variables": {}} | changed)


def dead() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        return process.pid


@pytest.mark.parametrize("case", ["missing", "empty", "cut off", "partial", "of a dead process"])
def test_a_note_that_does_not_tell_means_that_the_holder_is_starting(data: Path, case: str) -> None:
    with development.servers("make run"):
        written = {
            "empty": "",
            "cut off": note()[:9],
            "partial": note(variables=None),
            "of a dead process": note(pid=dead()),
        }
        if case == "missing":
            (data / "run.json").unlink()
        else:
            (data / "run.json").write_text(written[case])
        assert str(refused()) == STARTING


def test_a_command_that_comes_too_early_is_not_run(
    data: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(development, "write_dotenv", lambda: False)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with development.servers("make run"):
        (data / "run.json").unlink()
        assert development.main(["echo", "ran"]) == 1
    assert capfd.readouterr() == ("", STARTING + "\n")


@pytest.mark.parametrize(
    ("scheme", "port"), [("amqp", 5672), ("amqps", 5671), ("redis", 6379), ("rediss", 6379)]
)
def test_a_broker_without_a_port_is_sought_at_the_one_of_its_scheme(
    scheme: str, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sought: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], timeout: float) -> None:
        sought.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(ServerError, match=f"BROKER_URL names 127.0.0.1:{port}, "):
        development.refuse_unreachable({"BROKER_URL": f"{scheme}://127.0.0.1/0"})
    assert sought == [("127.0.0.1", port)]


def test_only_a_process_with_the_start_time_that_was_noted_is_stopped(
    data: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sleeping = ["sleep", "60"]
    with subprocess.Popen(sleeping) as ours, subprocess.Popen(sleeping) as other:
        try:
            development.remember(ours.pid)
            with (data / "started").open("a") as file:
                file.write(f"{other.pid} 1\n")  # its number was another's at that time
            with development.servers("make run"):
                assert ours.wait(10) != 0
                assert other.poll() is None
        finally:
            ours.kill()
            other.kill()
    assert capfd.readouterr().err == "Stopped what an earlier run had left running.\n"
    assert not (data / "started").exists()
