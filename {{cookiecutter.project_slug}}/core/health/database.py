"""Ask the primary database whether it is there, without ever waiting for it in a request.

One worker of an instance asks every two seconds over a connection of its own and writes the time
of the answer into the shared page; when it stops asking, another one takes over. gunicorn's master
opens no connection: it forks, and a connection must not be shared by two processes.

Weighed: `psycopg.Connection.connect(connect_timeout=…)` bounds the connection but no query, so a
frozen server would hold the thread for ever; django-health-check opens a connection per probe and
has no time limit. libpq's asynchronous calls take a deadline.
"""

from __future__ import annotations

import logging
import random
import select
import socket
import threading
import time
from collections.abc import Mapping
from typing import Any

from psycopg import OperationalError, pq
from psycopg.conninfo import make_conninfo

from core.health.state import Page

logger = logging.getLogger(__name__)

# Seconds between two questions of one instance; with DEADLINE below the 5 s in which readiness
# must notice the return of the database.
INTERVAL = 2.0
# Seconds for connecting and asking together; the pooler queues for at most 3 s.
DEADLINE = 3.0
# Seconds of silence of the asking worker until another takes over; above DEADLINE, which is how
# long one question may last.
TAKEOVER = 4.0
# Seconds, at most, added at random, so that the instances of a fleet do not ask in step.
JITTER = 0.3


def conninfo(database: Mapping[str, Any]) -> str:
    """libpq's connection string for one entry of Django's DATABASES."""
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    # Without those that are Django's or psycopg's own, such as a pool.
    options = {key: value for key, value in database["OPTIONS"].items() if key in known}
    return make_conninfo(
        **options,
        host=database["HOST"],
        port=database["PORT"],
        dbname=database["NAME"],
        user=database["USER"],
        password=database["PASSWORD"],
    )


class Connection:
    """One connection to PostgreSQL on which everything has a deadline."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._pg: pq.abc.PGconn | None = None

    def ask(self, query: str, seconds: float) -> list[str]:
        """The first column of the answer; connects when needed.

        Raises `OperationalError`, or `TimeoutError` after `seconds`; the connection is closed then.
        """
        deadline = time.monotonic() + seconds
        try:
            if self._pg is None:
                self._pg = self._connect(deadline)
            return self._query(self._pg, query, deadline)
        except BaseException:
            self.close()
            raise

    @property
    def backend_pid(self) -> int | None:
        """The server process by its own account, or a pooler's; None while there is none."""
        return self._pg.backend_pid if self._pg is not None else None

    def close(self) -> None:
        if self._pg is not None:
            self._pg.finish()
            self._pg = None

    def _connect(self, deadline: float) -> pq.abc.PGconn:
        self._pg = pg = pq.PGconn.connect_start(_resolved(self._conninfo).encode())
        while (status := pg.connect_poll()) != pq.PollingStatus.OK:
            if status == pq.PollingStatus.FAILED:
                raise OperationalError(pg.get_error_message())
            reading = status == pq.PollingStatus.READING
            _wait(pg.socket, select.POLLIN if reading else select.POLLOUT, deadline)
        pg.nonblocking = 1
        return pg

    def _query(self, pg: pq.abc.PGconn, query: str, deadline: float) -> list[str]:
        pg.send_query(query.encode())
        while pg.flush():
            _wait(pg.socket, select.POLLIN | select.POLLOUT, deadline)
            pg.consume_input()
        values: list[str] = []
        while True:
            while pg.is_busy():
                _wait(pg.socket, select.POLLIN, deadline)
                pg.consume_input()
            result = pg.get_result()
            if result is None:
                return values
            if result.status != pq.ExecStatus.TUPLES_OK:
                raise OperationalError(result.get_error_message())
            values += [(result.get_value(row, 0) or b"").decode() for row in range(result.ntuples)]


def _resolved(conninfo: str) -> str:
    # libpq resolves names inside connect_poll, where it would hold the interpreter's lock, and with
    # it every request of the process, for as long as a name server is silent.
    values = {option.keyword: option.val for option in pq.Conninfo.parse(conninfo.encode())}
    host, port = values[b"host"], values[b"port"]
    if not host or not port or host.startswith(b"/"):
        return conninfo
    found = socket.getaddrinfo(host.decode(), port.decode(), type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(address[4][0]) for address in found))
    random.shuffle(addresses)  # one that swallows packets must not hide the others for ever
    hosts = ",".join([host.decode()] * len(addresses))
    return make_conninfo(conninfo, host=hosts, hostaddr=",".join(addresses))


def _wait(descriptor: int, events: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(descriptor, events)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError("no answer in time")


class PrimaryWatch(threading.Thread):
    """The worker's thread that asks the primary, or stands by while another worker does."""

    def __init__(self, page: Page, slot: int, conninfo: str) -> None:
        super().__init__(name="primary-watch", daemon=True)
        self._page = page
        self._asker = slot + 1
        self._connection = Connection(conninfo)
        self._stopped = threading.Event()
        self._is_up: bool | None = None

    def run(self) -> None:
        while not self._stopped.wait(self._pause()):
            if self._pause() > JITTER:
                continue  # another worker was faster
            self._page.asker, self._page.asked = self._asker, time.monotonic()
            self._check()

    def stop(self) -> None:
        self._stopped.set()

    def _pause(self) -> float:
        is_mine = self._page.asker == self._asker
        if not is_mine:
            self._connection.close()
        due = self._page.asked + (INTERVAL if is_mine else INTERVAL + TAKEOVER)
        jitter = random.uniform(0, JITTER) if self._page.reached else 0.0  # noqa: S311
        return max(0.0, due - time.monotonic()) + jitter

    def _check(self) -> None:
        try:
            problem = self._problem()
        except Exception as error:  # whatever it is, the thread must ask again
            problem = str(error).strip() or type(error).__name__
        if problem is None:
            self._page.reached = time.monotonic()
        if self._is_up != (problem is None):
            self._is_up = problem is None
            if problem is None:
                logger.info("The primary database answers.")
            else:
                logger.warning("The primary database does not answer: %s", problem)

    def _problem(self) -> str | None:
        if self._connection.ask("SELECT pg_is_in_recovery()", DEADLINE) == ["f"]:
            return None
        # A name that still points to the old primary: connect again, it may point elsewhere soon.
        self._connection.close()
        return "the server is a replica"
