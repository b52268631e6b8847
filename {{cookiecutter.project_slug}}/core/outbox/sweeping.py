"""What nobody else notices: messages that a broker lost, and work whose worker died.

Both are published again, each time after twice as long as before: a message may simply wait in a
long queue, and the task's key makes the second arrival an acknowledgement.
"""

from __future__ import annotations

import structlog
from django.db import connection, transaction

from core.executions.models import Execution
from core.outbox.models import Message

logger = structlog.get_logger("core.outbox")

# Seconds between two sweeps of a relay. With the lease of 30 s: work of a dead worker is back in
# its queue within 35.
INTERVAL = 5.0
# Rows of one statement, far below what the role's statement_timeout of 5 s allows.
BATCH = 1_000
# Seconds after which a message that no worker has claimed counts as lost, doubled with each
# delivery up to the second.
LOST, LOST_LONGEST = 60, 3_600

# A worker has claimed it: from then on the execution's lease decides.
_PRUNE = """
    DELETE FROM core_outbox_message WHERE id IN (
        SELECT message.id FROM core_outbox_message AS message
        JOIN core_execution AS run ON run.key = message.message_id
        WHERE message.delivered_at IS NOT NULL
        LIMIT %s FOR UPDATE OF message SKIP LOCKED)
"""
_LOST = """
    UPDATE core_outbox_message SET delivered_at = NULL WHERE id IN (
        SELECT message.id FROM core_outbox_message AS message
        WHERE message.delivered_at < clock_timestamp() - make_interval(
              secs => least(%s * power(2, least(message.deliveries, 16) - 1), %s))
          AND NOT EXISTS (
              SELECT FROM core_execution AS run WHERE run.key = message.message_id)
        ORDER BY message.id LIMIT %s FOR UPDATE OF message SKIP LOCKED)
"""
# The oldest: queues are first in, first out, so a worker's hands hold these.
_DOUBTED = """
    UPDATE core_outbox_message SET delivered_at = NULL WHERE id IN (
        SELECT message.id FROM core_outbox_message AS message
        WHERE message.delivered_at IS NOT NULL
          AND NOT EXISTS (
              SELECT FROM core_execution AS run WHERE run.key = message.message_id)
        ORDER BY message.delivered_at LIMIT %s FOR UPDATE OF message SKIP LOCKED)
"""
_ORPHANED = """
    SELECT * FROM core_execution
    WHERE completed_at IS NULL AND failed_at IS NULL AND lease_until < clock_timestamp()
    ORDER BY lease_until LIMIT %s FOR UPDATE SKIP LOCKED
"""
_RETURNED = """
    UPDATE core_execution SET
        losses = least(losses + (holder <> '')::int, 32767), holder = '',
        returns = least(returns + 1, 32767),
        lease_until = clock_timestamp()
            + make_interval(secs => least(%s * power(2, least(returns, 16)), %s))
    WHERE key = ANY(%s)
"""


def sweep() -> tuple[int, int]:
    """One round. Returns how many messages were lost, and how much work was orphaned."""
    with connection.cursor() as cursor:
        cursor.execute(_PRUNE, [BATCH])
        while cursor.rowcount == BATCH:
            cursor.execute(_PRUNE, [BATCH])
        cursor.execute(_LOST, [LOST, LOST_LONGEST, BATCH])
        lost = cursor.rowcount
    orphaned = _return_orphans()
    if lost or orphaned:
        logger.warning("published again", lost=lost, orphaned=orphaned)
    return lost, orphaned


def doubt() -> int:
    """Publish again, once there is a broker, what may have been lost with its connections.

    Redis hands a message out before the worker has noted that it has it: with the connection, it
    is nowhere (in four of ten kills of a busy broker, one effect was a minute late). At most
    `BATCH`, more than workers hold. Returns how many.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DOUBTED, [BATCH])
        return int(cursor.rowcount)


def _return_orphans() -> int:
    """Put the messages of dead workers into the outbox again, under the ids they had."""
    with transaction.atomic():
        runs = list(Execution.objects.raw(_ORPHANED, [BATCH]))
        if not runs:
            return 0
        Message.objects.bulk_create(
            (
                Message(
                    message_id=run.key,
                    task=run.task,
                    queue=run.queue,
                    body=run.body,
                    headers=run.headers,
                )
                for run in runs
            ),
            update_conflicts=True,
            unique_fields=["message_id"],
            update_fields=["delivered_at"],
        )
        with connection.cursor() as cursor:
            cursor.execute(_RETURNED, [LOST, LOST_LONGEST, [run.key for run in runs]])
    return len(runs)
