"""No call inside of a transaction: its locks would be held for as long as somebody else likes."""

from __future__ import annotations

import structlog
from django.conf import settings
from django.db import connections

logger = structlog.get_logger("core.outbound")


class InTransactionError(RuntimeError):
    """A call was made inside of `atomic()`. Make it before or after, or in a task of the outbox."""


def refuse_transactions(host: str) -> None:
    """Raise where settings.OUTBOUND_STRICT says so, and log elsewhere: a late call beats none.

    The transaction that a TestCase wraps around a test does not count, as for `atomic(durable)`.
    """
    aliases = [
        connection.alias
        for connection in connections.all(initialized_only=True)
        if any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks)
    ]
    if not aliases:
        return
    if settings.OUTBOUND_STRICT:
        raise InTransactionError(
            f"A call to {host} inside of atomic() on {', '.join(aliases)} holds its locks for as "
            "long as the answer takes: call before or after, or from a task that outbox.send() "
            "queues."
        )
    logger.error("called inside of a transaction", host=host, databases=aliases, stack_info=True)
