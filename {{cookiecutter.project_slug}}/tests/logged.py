"""What the service would write to stdout, for tests of lines that need no process."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from core.logs.configuration import logging_config
from core.logs.output import StdoutHandler
from core.logs.rendering import LineFormatter


class Lines:
    """The output since the block began; it can be read inside the block and after it."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._text: str | None = None

    @property
    def text(self) -> str:
        if self._text is not None:
            return self._text
        return os.pread(self._fd, 10_000_000, 0).decode()

    def finish(self) -> None:
        self._text = self.text

    @property
    def rows(self) -> list[str]:
        """Split wherever any reader might: at U+0085 and U+2028 as well."""
        return self.text.splitlines()

    @property
    def json(self) -> list[dict[str, Any]]:
        return [json.loads(row) for row in self.rows]

    @property
    def requests(self) -> list[dict[str, Any]]:
        return [line for line in self.json if line["logger"] == "request"]


@contextmanager
def logged(*, level: str = "INFO", readable: bool = False) -> Iterator[Lines]:
    """Everything that is logged inside the block, written by the service's own handler."""
    config = logging_config(
        level=level, service="shop", release="r1", readable=readable, role="test"
    )
    formatter = {**config["formatters"]["line"]}
    assert formatter.pop("()") is LineFormatter
    root = logging.getLogger()
    handlers, before = root.handlers, root.level
    with tempfile.TemporaryFile() as file:
        handler = StdoutHandler(file.fileno())
        handler.setFormatter(LineFormatter(**formatter))
        # Alone: pytest's own handlers fail a test whose log call is wrong on purpose.
        root.handlers = [handler]
        root.setLevel(level)
        lines = Lines(file.fileno())
        try:
            yield lines
        finally:
            lines.finish()
            root.handlers = handlers
            root.setLevel(before)
