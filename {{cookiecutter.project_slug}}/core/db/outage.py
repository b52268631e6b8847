"""Which errors mean "not now" and not "a bug": 503 for the client, one line for the operator.

Weighed: a middleware's `process_exception` sees the errors of views alone; sessions and users are
loaded by other middleware.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import structlog
from django.db import DatabaseError, InterfaceError, OperationalError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.deadline import Exhausted

_logger = structlog.get_logger("outage")

# Seconds after which a client may try again: a failover takes some more, a restart of the pooler
# less, and readiness notices within 5 s that the database is back.
RETRY_AFTER = 5

_CORE = Path(__file__).resolve().parents[1]

# SQLSTATEs of a limit that was reached: a slow query or a busy server, never a dead one.
_LIMITS = {"57014": "statement timed out", "55P03": "lock timed out"}
# A primary that became a replica; psycopg counts it among the bugs.
_READ_ONLY = "25006"


@dataclass(frozen=True, slots=True)
class Unavailable:
    """What the client is told: a code that programs compare, and a sentence for people."""

    code: str
    detail: str | Promise


_TIMEOUT = Unavailable("timeout", _("The service took too long; try again in a few seconds."))
_AWAY = Unavailable("unavailable", _("The service cannot do this now; try again in a few seconds."))


def unavailable(error: BaseException | None) -> Unavailable | None:
    """What to answer instead of a 500, once it is logged; None for what is no outage.

    The line is an `error` without a traceback: the reason, its SQLSTATE, and the place in the
    product's code that waited. The database is away: OperationalError and InterfaceError, whatever
    their reason (refused, shutting down, `query_wait_timeout` of the pooler, a deadlock's victim).
    A constraint or a misspelt column is a bug and stays one.
    """
    if isinstance(error, Exhausted):
        return _told(error, "deadline exceeded", _TIMEOUT)
    if not isinstance(error, DatabaseError | InterfaceError):
        return None
    sqlstate = getattr(error.__cause__, "sqlstate", None)
    if sqlstate in _LIMITS:
        return _told(error, _LIMITS[sqlstate], _TIMEOUT, sqlstate)
    if isinstance(error, OperationalError | InterfaceError) or sqlstate == _READ_ONLY:
        return _told(error, "database unavailable", _AWAY, sqlstate)
    return None


def _told(
    error: BaseException, event: str, answer: Unavailable, sqlstate: str | None = None
) -> Unavailable:
    reason = str(error).strip().partition("\n")[0] or type(error).__name__
    _logger.error(event, reason=reason, sqlstate=sqlstate, at=_place(error))
    return answer


def _place(error: BaseException) -> str | None:
    """The innermost line of the traceback that is neither a library's nor this package's."""
    place, trace = None, error.__traceback__
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        ours = file.is_relative_to(_CORE.parent) and not file.is_relative_to(_CORE)
        if ours and "site-packages" not in file.parts:
            place = f"{file.relative_to(_CORE.parent)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
