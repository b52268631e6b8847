"""How far the outbox is behind, for metrics, alerts and the page of development."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

_STATE = """
    SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)
    FROM core_outbox_message WHERE delivered_at IS NULL
"""


@dataclass(frozen=True)
class State:
    """`depth`: messages that wait to be published. `lag`: the age of the oldest, in seconds."""

    depth: int
    lag: float


def state() -> State:
    """Read by an index of the waiting rows alone."""
    with connection.cursor() as cursor:
        cursor.execute(_STATE)
        depth, lag = cursor.fetchone()
    return State(depth=depth, lag=float(lag))
