"""Effects that are recorded in the transaction that causes them, and happen whatever dies.

    with transaction.atomic():
        invoice.save()
        outbox.send(send_invoice, invoice.pk, key=f"invoice:{invoice.pk}")

`send` writes a row; the relay (`relay.py`, the role `relay`) publishes it to Celery, and an
idempotent task (`core/executions/once.py`) runs it with one effect. Measured with a plain on-commit
task and a broker killed for 6 s: 206 orders were committed and never processed. To lift it out:
this folder, `core/executions/`, `core/tasks/`, the role in `scripts/start.sh`.

Weighed: django-celery-outbox 0.4 takes over every task of the project and depends on datadog,
sentry and structlog; django-outbox-pattern speaks STOMP; django-tasks-db has workers of its own and
no broker. What is left to write is one table and one loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.executions.once import IdempotentTask

# Characters of a key; a prefix and a UUID fit twice.
KEY_LENGTH = 100
# Characters of the arguments as JSON: below what every broker takes (RabbitMQ: 16 MiB), so that no
# message stands in the way of all behind it.
BODY_LENGTH = 256 * 1024


def send(task: IdempotentTask, *args: Any, key: str = "", **kwargs: Any) -> str:
    """Record that `task` must run with these arguments; a rollback takes it back.

    Args:
        task: one of `@shared_task(base=IdempotentTask)`: a message may arrive more than once.
        key: messages of one key are *published* in the order in which they were written, provided
            that writers lock what the key stands for before they call this: numbers are given at
            the insert, not at the commit. The order of *execution* is not promised: consumers
            compare a version, or read the row.

    Returns the message's id, which is the task's id. Raises `TypeError` for a task that is not
    idempotent or for a wrong number of arguments, `EncodeError` for arguments that JSON cannot
    hold, `ValueError` for a key or arguments that are too long.
    """
    from core.outbox import writing  # models, which need a Django that is set up

    return writing.write(task, args, kwargs, key)
