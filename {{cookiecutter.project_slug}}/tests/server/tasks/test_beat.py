"""Of several beats one sends, each tick is sent once, and an outage only delays it."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import pytest

from scripts.servers import PgBouncer, Postgres, Valkey
from tests.broker import Queue
from tests.server.conftest import DATABASE, StartRole
from tests.server.roles import Role
from tests.stack import BASE_DIR
from tests.testapp.beat import LEASE, RETRY, TICK

StartBeat = Callable[[], AbstractContextManager[Role]]
QUICK = ("--scheduler", "tests.testapp.beat:QuickScheduler")


@pytest.fixture
def start_beat(start_role: StartRole, postgres: Postgres) -> StartBeat:
    """A beat with an entry every second and a lease of 6 s, as the first that ever ran."""
    sql = "DELETE FROM core_beat_lease; DELETE FROM core_beat_tick"
    postgres.psql(sql, database=DATABASE)
    return lambda: start_role("beat", *QUICK)


def keys(queue: Queue) -> list[str]:
    return [message["idempotency_key"] for message in queue.messages]


def due_times(queue: Queue) -> list[datetime]:
    return [datetime.fromisoformat(key.partition("@")[2]) for key in keys(queue)]


def each_once(queue: Queue) -> bool:
    sent = keys(queue)
    return len(sent) > 1 and len(set(sent)) == len(sent)


def wait_for_more(role: Role, queue: Queue, number: int) -> None:
    """Wait until `number` more ticks were sent than now."""
    wanted = len(queue.messages) + number
    role.wait_until(lambda: len(queue.messages) >= wanted)


def sends(role: Role) -> int:
    return str(role.lines).count("tick sent")


def test_two_beats_send_each_tick_once(start_beat: StartBeat, queue: Queue) -> None:
    with start_beat() as first:
        wait_for_more(first, queue, 1)
        with start_beat() as second:
            wait_for_more(second, queue, 6)
            assert sends(second) == 0
        assert sends(first) > 6
    assert each_once(queue)


def test_when_the_holder_is_killed_the_other_takes_over_after_the_lease(
    start_beat: StartBeat, queue: Queue
) -> None:
    with start_beat() as first:
        wait_for_more(first, queue, 1)
        with start_beat() as second:
            wait_for_more(second, queue, 2)
            first.process.kill()
            killed = time.monotonic()
            second.wait_for_line("tick sent", 30)
            took = time.monotonic() - killed
            wait_for_more(second, queue, 3)
    # The lease, one look of the one that waits, one tick; and the slack of a busy machine.
    assert took < LEASE + RETRY + TICK + 3
    assert each_once(queue)


def test_a_holder_that_is_stopped_hands_over_at_once(start_beat: StartBeat, queue: Queue) -> None:
    with start_beat() as first:
        wait_for_more(first, queue, 1)
        with start_beat() as second:
            first.signal(signal.SIGTERM)
            assert first.wait_for_exit() == 0
            second.wait_for_line("lease taken", LEASE / 2)
            wait_for_more(second, queue, 2)
    assert each_once(queue)


def test_a_holder_that_froze_past_its_lease_sends_nothing_when_it_wakes(
    start_beat: StartBeat, queue: Queue
) -> None:
    with start_beat() as first:
        wait_for_more(first, queue, 1)
        with start_beat() as second:
            wait_for_more(second, queue, 1)
            first.process.freeze()
            second.wait_for_line("lease taken", LEASE + 10)
            before = sends(first)
            first.process.thaw()
            wait_for_more(second, queue, 4)
            assert sends(first) == before
    assert each_once(queue)


def test_of_an_hour_without_a_beat_one_tick_is_made_up_for(
    start_beat: StartBeat, queue: Queue, postgres: Postgres
) -> None:
    sql = "INSERT INTO core_beat_tick VALUES ('tick', now() - interval '1 hour')"
    postgres.psql(sql, database=DATABASE)
    with start_beat() as beat:
        wait_for_more(beat, queue, 3)
    assert each_once(queue)
    due = due_times(queue)
    assert (due[-1] - due[0]).total_seconds() == (len(due) - 1) * TICK
    assert datetime.now(UTC) - due[0] < timedelta(minutes=1)


@pytest.mark.parametrize("how", ["kill", "freeze"])
def test_a_broker_that_is_away_delays_the_tick(
    how: str,
    start_beat: StartBeat,
    queue: Queue,
    broker_server: Valkey,
    postgres: Postgres,
) -> None:
    with start_beat() as beat:
        wait_for_more(beat, queue, 1)
        getattr(broker_server, how)()
        beat.wait_for_line("nothing is sent")
        claimed = postgres.psql("SELECT due_at FROM core_beat_tick", database=DATABASE)
        broker_server.thaw()
        broker_server.start()
        beat.wait_for_line("sending again")
        wait_for_more(beat, queue, 2)
    assert each_once(queue)
    # What could not be sent was not taken as sent.
    assert datetime.fromisoformat(claimed.strip()) in due_times(queue)


@pytest.mark.parametrize("how", ["kill", "freeze"])
def test_a_database_that_is_away_delays_the_tick_and_ends_no_beat(
    how: str, start_beat: StartBeat, queue: Queue, postgres: Postgres
) -> None:
    with start_beat() as beat:
        wait_for_more(beat, queue, 1)
        getattr(postgres, how)()
        beat.wait_for_line("nothing is sent", 30)
        postgres.thaw()
        postgres.start()
        beat.wait_for_line("sending again", 30)
        wait_for_more(beat, queue, 2)
    assert each_once(queue)


def test_it_starts_while_the_database_is_away(
    start_beat: StartBeat, queue: Queue, pgbouncer: PgBouncer
) -> None:
    pgbouncer.stop()
    with start_beat() as beat:
        beat.wait_for_line("nothing is sent")
        pgbouncer.start()
        beat.wait_for_line("lease taken")
        wait_for_more(beat, queue, 1)


def test_it_stops_while_it_waits_for_a_frozen_database(
    start_beat: StartBeat, queue: Queue, pgbouncer: PgBouncer
) -> None:
    with start_beat() as beat:
        wait_for_more(beat, queue, 1)
        pgbouncer.freeze()
        # It asks at every tick: after two it waits inside the driver.
        asking = time.monotonic() + 2 * TICK
        beat.wait_until(lambda: time.monotonic() > asking)
        beat.signal(signal.SIGTERM)
        assert beat.wait_for_exit(20) == 0


def test_it_stops_well_while_it_imports_its_scheduler(start_role: StartRole) -> None:
    stopped = ("--scheduler", "tests.testapp.stopped_beat:QuickScheduler")
    with start_role("beat", *stopped) as beat:
        # For a beat that imported it before it could be stopped well.
        beat.signal(signal.SIGTERM)
        assert beat.wait_for_exit() == 0, beat.output


def test_it_writes_no_file_beside_the_code(start_beat: StartBeat, queue: Queue) -> None:
    before = {path.name for path in BASE_DIR.iterdir()}
    with start_beat() as beat:
        wait_for_more(beat, queue, 1)
    assert {path.name for path in BASE_DIR.iterdir()} == before
