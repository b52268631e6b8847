"""The role `relay` as a process."""

from __future__ import annotations

import signal
import time

from scripts.servers import PgBouncer
from tests.broker import Queue
from tests.server.conftest import StartRole
from tests.server.outbox.conftest import Send


def test_sigterm_ends_it_within_a_moment(start_role: StartRole) -> None:
    with start_role("relay") as relay:
        began = time.monotonic()
        relay.signal(signal.SIGTERM)
        assert relay.wait_for_exit(10) == 0
        assert time.monotonic() - began < 5


def test_it_starts_without_a_database_and_works_when_there_is_one(
    start_role: StartRole, pgbouncer: PgBouncer, send: Send, queue: Queue
) -> None:
    send("count_once", "late")
    pgbouncer.kill()
    with start_role("relay") as relay:
        relay.wait_for_line("nothing is published")
        pgbouncer.start()
        relay.wait_until(lambda: queue.words == ["late"])
