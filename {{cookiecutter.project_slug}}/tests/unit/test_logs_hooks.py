"""What Python would print by itself is a JSON line on stdout: run in processes of their own."""

import json
import subprocess
import sys
from typing import Any

from tests.stack import BASE_DIR, clean_environment

CONFIGURE = """
from core.logs.configuration import apply, logging_config
apply(logging_config(level="INFO", service="shop", release="r1", readable=False, role="test"))
"""


def run(program: str) -> tuple[int, list[dict[str, Any]], str]:
    """Exit code, lines of stdout as JSON, and stderr."""
    done = subprocess.run(
        [sys.executable, "-c", CONFIGURE + program],
        cwd=BASE_DIR,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_an_uncaught_exception_is_one_line_and_the_process_still_fails() -> None:
    code, (line,), stderr = run("raise ValueError('broken\\nat start')")
    assert (code, stderr) == (1, "")
    assert (line["level"], line["message"]) == ("critical", "uncaught exception")
    assert line["exception"].endswith("ValueError: broken\nat start")


def test_an_uncaught_exception_of_a_thread_is_one_line_that_names_the_thread() -> None:
    code, (line,), stderr = run(
        "import threading\n"
        "thread = threading.Thread(target=lambda: 1 / 0, name='ticker')\n"
        "thread.start(); thread.join()"
    )
    assert (code, stderr) == (0, "")
    assert line["thread_name"] == "ticker"
    assert line["exception"].endswith("ZeroDivisionError: division by zero")


def test_a_thread_that_exits_on_purpose_logs_nothing() -> None:
    code, lines, stderr = run(
        "import threading, sys\nt = threading.Thread(target=sys.exit); t.start(); t.join()"
    )
    assert (code, lines, stderr) == (0, [], "")


def test_an_exception_in_a_finalizer_is_one_line() -> None:
    code, (line,), stderr = run(
        "class Leaky:\n    def __del__(self): raise OSError('gone')\nLeaky()"
    )
    assert (code, stderr) == (0, "")
    assert "Leaky.__del__" in line["raised_in"]
    assert line["exception"].endswith("OSError: gone")


def test_a_warning_is_one_line() -> None:
    code, (line,), stderr = run("import warnings; warnings.warn('old way', FutureWarning)")
    assert (code, stderr) == (0, "")
    assert (line["level"], line["logger"]) == ("warning", "py.warnings")
    assert "FutureWarning: old way" in line["message"]


def test_ctrl_c_stays_pythons_own_business() -> None:
    code, lines, stderr = run("raise KeyboardInterrupt")
    assert (code, lines) == (-2, [])
    assert "KeyboardInterrupt" in stderr


def test_a_hook_that_somebody_else_set_stays() -> None:
    code, lines, stderr = run(
        "import sys\n"
        "sys.excepthook = lambda *_: sys.stderr.write('theirs')\n" + CONFIGURE + "raise ValueError"
    )
    assert (code, lines, stderr) == (1, [], "theirs")


def test_a_child_that_is_forked_while_a_thread_logs_can_log() -> None:
    code, lines, stderr = run(
        "import logging, os, threading, warnings\n"
        "warnings.simplefilter('ignore')\n"
        "handler, = logging.getLogger().handlers\n"
        "locked, release = threading.Event(), threading.Event()\n"
        "def hold():\n"
        "    with handler.lock: locked.set(); release.wait(20)\n"
        "thread = threading.Thread(target=hold); thread.start(); locked.wait()\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    logging.getLogger('child').warning('hello'); os._exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "release.set(); thread.join()"
    )
    assert (code, stderr) == (0, "")
    assert [line["message"] for line in lines] == ["hello"]


def test_configuring_twice_writes_each_line_once_and_silences_no_logger() -> None:
    code, lines, stderr = run(
        "import logging, structlog\n"
        "early = logging.getLogger('made.early')\n"
        "bound = structlog.get_logger('bound'); bound.warning('first')\n"
        + CONFIGURE
        + "early.warning('second'); bound.warning('third')"
    )
    assert (code, stderr) == (0, "")
    assert [line["message"] for line in lines] == ["first", "second", "third"]
