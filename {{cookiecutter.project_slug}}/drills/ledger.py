"""The account of a drill: what was promised, what was written, what came of it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
import redis

from scripts.servers import Postgres, Valkey
from scripts.servers.postgres import SUPERUSER

# No key on the effects: a duplicate is a row like any other, and is counted.
_TABLES = """
    CREATE TABLE drill_order (
        request_id uuid PRIMARY KEY, at timestamptz DEFAULT clock_timestamp());
    CREATE TABLE drill_begun (request_id uuid, at timestamptz DEFAULT clock_timestamp());
    CREATE TABLE drill_effect (request_id uuid, at timestamptz DEFAULT clock_timestamp());
"""
_EMPTY = """
    TRUNCATE drill_order, drill_begun, drill_effect, core_outbox_message, core_execution,
        core_deadletters_deadletter
"""
_POLL = 0.1  # seconds between two looks at the tables


@dataclass(frozen=True)
class Account:
    """`lost`: promised or written, without an effect. `dup`: effects beyond the first of each."""

    lost: int
    dup: int


class Ledger:
    """The tables of a drill, read past the pooler: an account must not depend on the patient."""

    def __init__(self, postgres: Postgres, broker: Valkey, database: str) -> None:
        self._postgres = postgres
        self._broker = broker
        self._database = database

    def follow(self, postgres: Postgres) -> None:
        """Read another server from now on."""
        self._postgres = postgres

    def open(self) -> None:
        """Make its tables, as the service's migrations make theirs."""
        self._postgres.psql(_TABLES, role="migrator", database=self._database)

    def empty(self) -> None:
        """Forget all drills before this one, in the tables and in the broker."""
        self._postgres.psql(_EMPTY, role="migrator", database=self._database)
        self._broker.flush()

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        # By the connections that are reserved: a storm takes all the others.
        url = self._postgres.url(SUPERUSER, database=self._database)
        with psycopg.connect(url, connect_timeout=3, autocommit=True) as new:
            return new.execute(statement.encode(), values or None).fetchall()

    def await_effects(self, promised: Iterable[str], seconds: float) -> bool:
        """Wait until each order has an effect and nothing is under way. False after `seconds`."""
        wanted = set(promised)
        return self.wait_until(lambda: not self._missing(wanted) and self._is_quiet(), seconds)

    def wait_until(self, condition: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            threading.Event().wait(_POLL)
        return True

    def account(self, promised: Iterable[str]) -> Account:
        """What became of the requests that were answered as done, and of all rows."""
        return Account(
            lost=len(self._missing(set(promised))),
            dup=sum(count - 1 for count in self._effects().values()),
        )

    def seconds_until_last_effect(self, healed: float) -> float:
        """Of the orders written before `healed`, a `time.time()`; the server shares our clock."""
        statement = (
            "SELECT extract(epoch FROM max(drill_effect.at)) FROM drill_effect "
            "JOIN drill_order USING (request_id) WHERE drill_order.at < to_timestamp(%s)"
        )
        [(last,)] = self.rows(statement, healed)
        return max(0.0, float(last) - healed) if last else 0.0

    def begun(self) -> int:
        """How many runs of slow tasks have begun."""
        return int(self.rows("SELECT count(*) FROM drill_begun")[0][0])

    def _missing(self, promised: set[str]) -> set[str]:
        return (promised | self._orders()) - set(self._effects())

    def _orders(self) -> set[str]:
        return {row[0] for row in self.rows("SELECT request_id::text FROM drill_order")}

    def _effects(self) -> Counter[str]:
        return Counter(row[0] for row in self.rows("SELECT request_id::text FROM drill_effect"))

    def _is_quiet(self) -> bool:
        """Nothing waits for the relay, in a queue, or in a run: a duplicate would have come.

        What a lost worker held stays with the broker for the visibility timeout; it is not awaited.
        """
        statement = (
            "SELECT (SELECT count(*) FROM core_outbox_message WHERE delivered_at IS NULL)"
            " + (SELECT count(*) FROM core_execution"
            "    WHERE completed_at IS NULL AND failed_at IS NULL)"
        )
        client = redis.Redis.from_url(self._broker.url, socket_timeout=2)
        try:
            return self.rows(statement) == [(0,)] and client.llen("default") == 0
        except redis.RedisError:
            return False
        finally:
            client.close()
