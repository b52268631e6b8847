"""Who holds what a migration waits for, seen while it waits: afterwards nobody can tell."""

from __future__ import annotations

from threading import Event, Thread
from typing import Any

import psycopg

# Seconds between two looks; several fit into the role's lock_timeout of 500 ms.
LOOK = 0.1
# The texts of other roles' queries are not for migrator to read; who and what is open to everyone.
_BLOCKERS = """
    SELECT string_agg(
        format('process %%s (%%s of %%s)', a.pid,
               coalesce(nullif(a.application_name, ''), 'unnamed'),
               coalesce(a.usename, a.backend_type)), ', ' ORDER BY a.pid),
        (SELECT coalesce(l.relation::regclass::text, 'a transaction') FROM pg_locks l
         WHERE l.pid = %(pid)s AND NOT l.granted LIMIT 1)
    FROM pg_stat_activity a WHERE a.pid = ANY(pg_blocking_pids(%(pid)s))
"""


class Watch:
    """`with Watch(parameters, pid)` looks at process `pid` by a connection of its own.

    `seen` is the last thing that it waited for, in words, or None. Comfort: without a second
    connection nothing is seen, and the migration goes on.
    """

    def __init__(self, parameters: dict[str, Any], pid: int) -> None:
        self._parameters = parameters
        self._pid = pid
        self._ended = Event()
        self._thread = Thread(target=self._look, name="blockers", daemon=True)
        self.seen: str | None = None

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(5)

    def _look(self) -> None:
        try:
            with psycopg.connect(**self._parameters, autocommit=True) as connection:
                while not self._ended.wait(LOOK):
                    row = connection.execute(_BLOCKERS, {"pid": self._pid}).fetchone()
                    if row and row[0]:
                        self.seen = f"{row[1]} was held by {row[0]}"
        except psycopg.Error:
            return
