"""Put a line on stdout, whole, whatever else writes there and whatever becomes of the reader."""

from __future__ import annotations

import fcntl
import logging
import os
import select
from contextlib import suppress


class StdoutHandler(logging.Handler):
    """Write each record by `write(2)` to file descriptor 1.

    `logging.StreamHandler` writes through a buffer that flushes long lines in pieces, keeps the
    `sys.stdout` of its birth (celery, pytest and daemons replace it), and prints a traceback to
    stderr when stdout is gone. Here:

    - A pipe takes at most PIPE_BUF (4,096) bytes as one piece and mixes longer ones of several
      processes as soon as it is full. A record lock on the pipe, which the kernel drops with the
      process, keeps a line of any length together: 1.5 µs. Where the kind of file allows no lock,
      short lines are still whole.
    - A reader that went away costs the line and nothing else: there is nobody to tell.
    - A log call that cannot be formatted becomes a line that says so.
    """

    def __init__(self, fd: int = 1) -> None:
        super().__init__()
        self._fd = fd

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except Exception as error:
            line = self._complaint(record, error)
        with suppress(OSError):
            self._write(line.encode("utf-8", "backslashreplace") + b"\n")

    def _complaint(self, record: logging.LogRecord, error: Exception) -> str:
        text = "a log call could not be formatted"
        exc_info = (type(error), error, error.__traceback__)
        complaint = logging.LogRecord(record.name, logging.ERROR, "", 0, text, (), exc_info)
        complaint.__dict__.update(
            call=f"{record.pathname}:{record.lineno}", call_message=record.msg
        )
        return self.format(complaint)

    def _write(self, line: bytes) -> None:
        with suppress(OSError):
            fcntl.lockf(self._fd, fcntl.LOCK_EX)
        try:
            rest = memoryview(line)
            while rest:
                try:
                    rest = rest[os.write(self._fd, rest) :]
                except BlockingIOError:
                    # Another program that shares the terminal or pipe made it non-blocking.
                    select.select((), (self._fd,), ())
        finally:
            with suppress(OSError):
                fcntl.lockf(self._fd, fcntl.LOCK_UN)
