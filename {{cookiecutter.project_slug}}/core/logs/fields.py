"""What a log line holds, whoever logged it, and how much of it."""

from __future__ import annotations

import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

from structlog.types import EventDict, WrappedLogger

# Characters. A value that a client can choose must not fill a disk; 8 KiB is also the longest
# header that gunicorn accepts, so what was sent can be recognised.
VALUE_LIMIT = 8_192
# Characters. A chained traceback through Django is 6,000 to 12,000; four times that is a loop.
TRACEBACK_LIMIT = 32_768

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}
# What libraries attach for handlers of their own: Django the request object (headers and body in
# its repr), uvicorn a coloured copy of the message, celery a dictionary with the task's arguments.
_NOT_FOR_LINES = frozenset({"request", "color_message", "data"})


def add_extra(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Take what `extra=` attached to a record of the standard library."""
    for key, value in event["_record"].__dict__.items():
        if key not in _STANDARD and key not in _NOT_FOR_LINES:
            event.setdefault(key, value)
    return event


def assemble(event: EventDict, identity: dict[str, str]) -> dict[str, Any]:
    """Order the fields of one event, bounded.

    A field of the caller that has the name of one of ours is kept with `_` behind it: nobody can
    log a false level or service.
    """
    record: logging.LogRecord = event.pop("_record")
    del event["_from_structlog"]
    exception = formatted_exception(event.pop("exc_info", None))
    message = event.pop("event", "")
    line: dict[str, Any] = {
        "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": shortened(message if type(message) is str else str(message), VALUE_LIMIT),
        **identity,
        "pid": record.process,
    }
    for key, value in event.items():
        if type(value) is str and len(value) > VALUE_LIMIT:
            value = shortened(value, VALUE_LIMIT)
        line[key + "_" if key in line else key] = value
    if exception:
        line["exception"] = exception
    return line


def formatted_exception(exc_info: object) -> str:
    """The traceback that `exc_info` (True, an exception or a triple) stands for, as one string."""
    if not exc_info:
        return ""
    if isinstance(exc_info, BaseException):
        exception: BaseException | None = exc_info
    elif isinstance(exc_info, tuple):
        exception = exc_info[1]
    else:
        exception = sys.exception()
    if exception is None:
        return ""
    text = "".join(traceback.format_exception(exception)).rstrip("\n")
    return shortened(text, TRACEBACK_LIMIT)


def shortened(text: str, limit: int) -> str:
    """`text`, or its start and its end around a mark: the end of a traceback names the error."""
    if len(text) <= limit:
        return text
    head = limit // 4
    tail = limit - head
    return f"{text[:head]}… [{len(text) - limit} characters cut] …{text[-tail:]}"
