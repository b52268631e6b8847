"""Write the fields of an event as one line that no value can break or forge."""

from __future__ import annotations

import logging
import re
from decimal import Decimal
from pathlib import PurePath
from typing import Any

import orjson
from structlog.dev import ConsoleRenderer
from structlog.stdlib import ProcessorFormatter
from structlog.types import EventDict, WrappedLogger

from core.logs.fields import assemble, shortened

# Characters. A longer line is cut down to its essential fields, because log agents split or refuse
# it; a traceback of full length fits with room for the rest.
LINE_LIMIT = 65_536

# A dataclass may hide fields from its repr (a password); orjson would write them all.
_OPTIONS = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_NON_STR_KEYS
_ESSENTIAL = (
    *("timestamp", "level", "logger", "message", "service", "role", "release", "pid"),
    *("request_id", "task", "task_id", "exception"),
)

# JSON allows these inside a string, yet a terminal obeys some (C1 controls, DEL, the bidirectional
# ones) and some readers split lines at others (U+0085, U+2028, U+2029).
_TROUBLE = "\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
_TROUBLE_IN_JSON = re.compile("[" + _TROUBLE + "]")
_CONTROL = re.compile("[\x00-\x1f" + _TROUBLE + "]")


class LineFormatter(ProcessorFormatter):
    """structlog's, with a short way for the events of structlog itself.

    For those nothing in the record is left to work out, so nothing needs a copy of it, or logging's
    own formatting of what is a finished line: 7 of the 38 µs that a line took.
    """

    def format(self, record: logging.LogRecord) -> str:
        if not hasattr(record, "_logger") or not isinstance(record.msg, dict):
            return super().format(record)
        # A copy: another handler may format the same record.
        event: Any = {**record.msg, "_record": record, "_from_structlog": True}
        for processor in self.processors:
            event = processor(record._logger, record._name, event)  # type: ignore[attr-defined]
        return str(event)


class JsonRenderer:
    """The last processor: one JSON object, always; the worst event gives a smaller one."""

    def __init__(self, *, service: str, role: str, release: str) -> None:
        self._identity = {"service": service, "role": role, "release": release}

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> str:
        line = assemble(event, self._identity)
        text = _text(line)
        return text if len(text) <= LINE_LIMIT else _text(_essence(line))


class ReadableRenderer:
    """The last processor in development: colours, and control characters made visible.

    Tracebacks are indented, so that a line break inside an exception's text starts no line that
    looks like one of ours.
    """

    def __init__(self) -> None:
        self._render = ConsoleRenderer(colors=True, sort_keys=False)

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> str:
        line = assemble(event, {})
        exception = line.pop("exception", "")
        del line["pid"]
        shown = {visible(key): visible(_described(value)) for key, value in line.items()}
        # The time of day is enough beside a keyboard.
        shown["timestamp"] = shown["timestamp"][11:23]
        shown["event"] = shown.pop("message")
        text = str(self._render(logger, method, shown))
        for row in exception.split("\n") if exception else ():
            text += "\n    " + visible(row)
        return text


def visible(text: str) -> str:
    """Replace what a terminal would obey by its escape: `\\x1b[31m` is shown, not applied."""
    return _CONTROL.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match.group()):04x}"


def _text(line: dict[str, Any]) -> str:
    try:
        text = orjson.dumps(line, _described, _OPTIONS).decode()
    except (TypeError, ValueError, RecursionError):
        # A lone surrogate, an integer beyond 64 bits, a structure that contains itself.
        text = orjson.dumps({_sound(key): _sound(value) for key, value in line.items()}).decode()
    if text.isascii() and "\x7f" not in text:
        return text
    return _TROUBLE_IN_JSON.sub(_escaped, text)


def _essence(line: dict[str, Any]) -> dict[str, Any]:
    # JSON writes a control character in six bytes: 6 * (8,192 + 10 * 256) stays below LINE_LIMIT.
    kept = {key: _sound(line[key]) for key in _ESSENTIAL if key in line}
    for key, value in kept.items():
        if isinstance(value, str):
            kept[key] = shortened(value, 8_192 if key == "exception" else 256)
    return {**kept, "fields_cut": len(line) - len(kept)}


def _sound(value: object) -> Any:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and abs(value) < 2**63:
        return value
    return _described(value).encode("utf-8", "backslashreplace").decode()


def _described(value: object) -> str:
    """What stands for an object that JSON has no form for; bounded, and never an exception."""
    if isinstance(value, str):
        return value
    try:
        text = str(value) if isinstance(value, Decimal | PurePath) else repr(value)
    except Exception:
        return f"<{type(value).__name__} that cannot be shown>"
    return shortened(text, 1_024)
