"""How many tasks wait, and which one is next."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from django.conf import settings

from apps.home.dependencies import client
from apps.home.panels import Cell, Table


def queues() -> Table:
    """The queues of a Redis broker; RabbitMQ has a page of its own. Raises `redis.RedisError`."""
    headings = ("Queue", "Waiting", "Next task")
    if not urlsplit(settings.CELERY_BROKER_URL).scheme.startswith("redis"):
        return Table(headings, [], empty="RabbitMQ shows its queues on its own management page.")
    names = [queue.name for queue in settings.CELERY_TASK_QUEUES]
    with client(settings.CELERY_BROKER_URL) as broker, broker.pipeline(transaction=False) as asked:
        for name in names:
            asked.llen(name).lindex(name, -1)  # the right end is taken first
        asked.zcard("unacked_index")
        *found, taken = asked.execute()
    rows = [
        [Cell(name), Cell(str(length)), Cell(_task(message))]
        for name, length, message in zip(names, found[::2], found[1::2], strict=True)
    ]
    return Table(headings, [*rows, [Cell("Taken, not finished"), Cell(str(taken)), Cell("")]])


def _task(message: str | None) -> str:
    if message is None:
        return "none"
    name = str(json.loads(message)["headers"]["task"])
    return name.rpartition(".")[2]
