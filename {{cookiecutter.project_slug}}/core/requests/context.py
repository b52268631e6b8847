"""The request id: one word that ties the lines of a request to those of the tasks it causes."""

from __future__ import annotations

import re
from uuid import uuid4

from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

# A UUID (32 or 36 characters), a ULID, nginx's $request_id and the trace ids of the large load
# balancers fit; nothing that a log, a header or a shell could take for anything else does.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,128}")


def accepted_request_id(value: object) -> str | None:
    """`value` when it is a request id: 8 to 128 of `A-Z a-z 0-9 . _ -`; None otherwise."""
    if isinstance(value, str) and _REQUEST_ID.fullmatch(value):
        return value
    return None


def new_request_id() -> str:
    """32 hexadecimal digits, random; the standard library has no UUIDv7 before Python 3.14."""
    return uuid4().hex


def current_request_id() -> str | None:
    """The request id that is bound in this thread or coroutine."""
    return get_contextvars().get("request_id")


def bind_request_id(value: object) -> str:
    """Put `value` into every further line of this thread or coroutine and return it.

    A value that is no request id (a header that was forged, or a task that was sent without one) is
    replaced by a new id, which is what is bound and returned.
    """
    request_id = accepted_request_id(value) or new_request_id()
    bind_contextvars(request_id=request_id)
    return request_id


def clear_context() -> None:
    """Forget everything that was bound, so that the thread's next work starts without it."""
    clear_contextvars()
