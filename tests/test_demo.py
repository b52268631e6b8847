"""`make demo`: from a clone to a page of a running service, and back to nothing."""

import fcntl
import os
import re
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from browser import Browser
from conftest import ROOT, clean_environment, files_below

DEMO = ROOT / "scripts/demo.sh"
PAGE = re.compile(r"http://localhost:\d+/")
STOPPED_WITHIN = 60  # seconds from Ctrl-C to the end; the service drains for at most 30


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def running_below(folder: Path) -> list[str]:
    """The command line of every process that works in a folder or names it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            place = (process / "cwd").readlink()
        except OSError:  # it ended meanwhile
            continue
        if str(folder) in words or place.is_relative_to(folder):
            found.append(f"{process.name} {words}")
    return found


type Demo = Callable[[], subprocess.CompletedProcess[str]]


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "two words"


@pytest.fixture
def demo(tmp_path: Path, output: Path, template_environment: Path) -> Demo:
    """Run demo.sh into `output`, with a make that starts nothing."""
    assert template_environment.is_dir()
    stub = tmp_path / "bin/make"
    stub.parent.mkdir()
    stub.write_text("#!/bin/sh\n", encoding="utf-8")
    stub.chmod(0o755)
    environment = clean_environment()
    environment["PATH"] = f"{stub.parent}:{environment['PATH']}"

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", DEMO, output], check=False, capture_output=True, text=True, env=environment
        )

    return run


def test_a_second_demo_keeps_environment_key_and_data_and_nothing_else(
    output: Path, demo: Demo
) -> None:
    service = output / "my-service"
    demo().check_returncode()
    kept = [".env", ".data/postgres/PG_VERSION", ".data/run.lock", ".venv/bin/python", "uv.lock"]
    stale = ["stray.py", "core/stray.py", "gone/stray.py", ".stray"]
    for name in (*kept, *stale):
        (service / name).parent.mkdir(parents=True, exist_ok=True)
        (service / name).write_text("mine", encoding="utf-8")
    (service / "manage.py").write_text("changed", encoding="utf-8")
    demo().check_returncode()
    assert [name for name in kept if (service / name).read_text(encoding="utf-8") != "mine"] == []
    assert [name for name in stale if (service / name).exists()] == []
    assert "changed" not in (service / "manage.py").read_text(encoding="utf-8")


def test_a_service_that_no_demo_made_is_left_alone(output: Path, demo: Demo) -> None:
    work = output / "my-service/work.py"
    work.parent.mkdir(parents=True)
    work.write_text("mine", encoding="utf-8")
    finished = demo()
    assert finished.returncode == 1
    assert finished.stderr == (
        f"demo: {work.parent} is there and no demo made it, so it is left alone: "
        "choose another folder by  make demo DEMO=folder\n"
    )
    assert files_below(output) == {"my-service/work.py": b"mine"}


def test_nothing_is_deleted_below_a_running_demo(output: Path, demo: Demo) -> None:
    demo().check_returncode()
    stray = output / "my-service/stray.py"
    stray.touch()
    lock = output / "my-service/.data/run.lock"
    lock.parent.mkdir()
    with lock.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        finished = demo()
    told = f"demo: one is running in {output / 'my-service'}: stop it first.\n"
    assert (finished.returncode, finished.stderr) == (1, told)
    assert stray.exists()


def test_a_variable_of_the_shell_does_not_choose_the_folder() -> None:
    finished = subprocess.run(
        ["make", "--dry-run", "demo"],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=clean_environment(DEMO="/elsewhere"),
    )
    assert 'demo.sh "build/demo"' in finished.stdout


def assert_the_page_works_in_a_browser(url: str) -> None:
    """At every width without sideways scrolling, moving by itself, under the service's policy."""
    with Browser() as browser:
        for width, dark in ((1280, False), (360, True)):
            browser.show(width, dark=dark)
            browser.open(url)
            hidden = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert browser.ask(hidden) == 0, width
        # The age of a heartbeat changes; the page replaces that part and no other element.
        assert browser.ask(
            "new Promise((done) => new MutationObserver((all) => done(all[0].addedNodes[0].id))"
            ".observe(document.querySelector('.panels'), { childList: true }))"
        )
        assert browser.messages == []


def test_make_demo_answers_at_the_url_it_prints_and_ctrl_c_leaves_no_process(
    tmp_path: Path, template_environment: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert template_environment.is_dir()
    ports = {"PORT": str(free_port()), "METRICS_PORT": str(free_port())}
    with subprocess.Popen(
        ["make", "demo", f"DEMO={tmp_path}"],
        cwd=ROOT,
        env=clean_environment(**ports),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout
        said = ""
        try:
            for line in process.stdout:
                said += line
                if printed := PAGE.search(line):
                    break
            else:
                pytest.fail(f"no URL was printed:\n{said}")
            url = printed.group()
            assert f":{ports['PORT']}/" in url
            with urllib.request.urlopen(url, timeout=5) as page:  # noqa: S310 a URL of ours
                assert page.status == 200
                assert "My service" in page.read().decode()
            assert running_below(tmp_path)
            assert_the_page_works_in_a_browser(url)
        finally:
            os.killpg(process.pid, signal.SIGINT)
            said += process.communicate(timeout=STOPPED_WITHIN)[0]
    with capfd.disabled():
        print(said)
    assert running_below(tmp_path) == []
