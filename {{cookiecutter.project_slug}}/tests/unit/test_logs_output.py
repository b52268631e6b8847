"""Stdout: lines arrive whole, or not at all, and never harm the process that writes them."""

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from select import PIPE_BUF

import pytest

from core.logs.output import StdoutHandler
from tests.stack import BASE_DIR

WRITERS = 3
LINES_EACH = 300
LENGTH = 5 * PIPE_BUF

WRITER = f"""
import json, logging, sys
from core.logs.output import StdoutHandler
logging.basicConfig(handlers=[StdoutHandler()], format="%(message)s", level="INFO")
for number in range({LINES_EACH}):
    text = json.dumps(dict(writer=sys.argv[1], number=number, text=sys.argv[1] * {LENGTH}))
    logging.info(text)
"""


class Pipe:
    """A pipe whose ends are closed once; a test that fails to write reads an end, not for ever."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        self._open = {self.reader, self.writer}

    def close(self, end: int) -> None:
        if end in self._open:
            self._open.remove(end)
            os.close(end)

    def read(self, size: int = 65_536) -> bytes:
        """Everything that the writers wrote until the last of them closed."""
        return b"".join(iter(lambda: os.read(self.reader, size), b""))

    def write(self, message: str) -> None:
        """Log a message through the handler alone."""
        StdoutHandler(self.writer).handle(logging.makeLogRecord({"msg": message}))


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.close(pipe.reader)
    pipe.close(pipe.writer)


def read_while(pipe: Pipe, work: Callable[[], object]) -> list[bytes]:
    """The lines that `work` writes in a thread, while the pipe is read."""

    def run() -> None:
        try:
            work()
        finally:
            pipe.close(pipe.writer)

    thread = threading.Thread(target=run)
    thread.start()
    read = pipe.read()
    thread.join()
    return read.splitlines()


def test_long_lines_of_several_processes_do_not_mix_in_a_full_pipe(pipe: Pipe) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITER, name], stdout=pipe.writer, cwd=BASE_DIR)
        for name in "abc"[:WRITERS]
    ]
    pipe.close(pipe.writer)
    # Slower than three writers: the pipe stays full, and each line goes out in pieces.
    read = pipe.read(PIPE_BUF // 2)
    assert [process.wait() for process in processes] == [0] * WRITERS
    lines = [json.loads(line) for line in read.splitlines()]
    assert len(lines) == WRITERS * LINES_EACH
    assert all(line["text"] == line["writer"] * LENGTH for line in lines)


def test_threads_of_one_process_do_not_mix_their_lines(pipe: Pipe) -> None:
    handler = StdoutHandler(pipe.writer)

    def repeat(name: str) -> None:
        for _ in range(50):
            handler.handle(logging.makeLogRecord({"msg": name * LENGTH}))

    def work() -> None:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(repeat, "abcd"))

    lines = read_while(pipe, work)
    assert sorted(lines) == [name * LENGTH for name in (b"a", b"b", b"c", b"d") for _ in range(50)]


def test_a_pipe_that_another_program_made_non_blocking_gets_the_whole_line(pipe: Pipe) -> None:
    os.set_blocking(pipe.writer, False)
    line = "x" * 1_000_000
    assert read_while(pipe, lambda: pipe.write(line)) == [line.encode()]


def test_a_reader_that_went_away_costs_the_line_and_nothing_else(
    pipe: Pipe, capfd: pytest.CaptureFixture[str]
) -> None:
    pipe.close(pipe.reader)
    for _ in range(100):
        pipe.write("nobody reads this")
    assert capfd.readouterr() == ("", "")


def test_a_closed_stdout_costs_the_line_and_nothing_else(
    pipe: Pipe, capfd: pytest.CaptureFixture[str]
) -> None:
    pipe.close(pipe.writer)
    pipe.write("nobody reads this")
    assert capfd.readouterr() == ("", "")


def test_a_text_that_utf_8_cannot_hold_is_written_with_an_escape(pipe: Pipe) -> None:
    assert read_while(pipe, lambda: pipe.write("broken: \udcff")) == [b"broken: \\udcff"]


def test_a_line_is_written_where_no_lock_can_be_had(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no locks here")

    monkeypatch.setattr("core.logs.output.fcntl.lockf", refuse)
    assert read_while(pipe, lambda: pipe.write("still here")) == [b"still here"]
