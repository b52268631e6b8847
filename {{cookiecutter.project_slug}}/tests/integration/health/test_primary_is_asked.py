"""The question to the primary has an end, whatever the server does."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator

import pytest
from psycopg import OperationalError
from psycopg.conninfo import make_conninfo

from core.health.database import DEADLINE, INTERVAL, TAKEOVER, Connection, PrimaryWatch, conninfo
from core.health.state import Page
from scripts.servers import HOST, THROW_AWAY, PgBouncer, Postgres, Server
from scripts.servers.server import free_port

ASK = "SELECT pg_is_in_recovery()"


@pytest.fixture
def info(postgres: Postgres) -> str:
    return make_conninfo(postgres.url("app"))


@pytest.fixture
def connection(info: str) -> Iterator[Connection]:
    connection = Connection(info)
    yield connection
    connection.close()


def wait_until(condition: Callable[[], bool], seconds: float) -> float:
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds
        time.sleep(0.01)
    return time.monotonic() - started


def test_the_primary_says_that_it_is_one(connection: Connection) -> None:
    assert connection.ask(ASK, 3) == ["f"]
    assert connection.ask(ASK, 3) == ["f"]


def test_the_pooler_answers_as_well(pgbouncer: PgBouncer) -> None:
    connection = Connection(make_conninfo(pgbouncer.url("app")))

    assert connection.ask(ASK, 3) == ["f"]
    connection.close()


def test_a_frozen_server_costs_the_deadline_and_no_more(
    connection: Connection, postgres: Postgres
) -> None:
    connection.ask(ASK, 3)
    postgres.freeze()
    for _ in range(2):  # once in the query, once in the connection
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            connection.ask(ASK, 0.5)
        assert 0.4 < time.monotonic() - started < 1.5
    postgres.thaw()
    assert connection.ask(ASK, 3) == ["f"]


def test_a_server_that_accepts_and_says_nothing_costs_the_deadline(info: str) -> None:
    with socket.create_server((HOST, 0)) as silent:
        connection = Connection(make_conninfo(info, host=HOST, port=silent.getsockname()[1]))
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            connection.ask(ASK, 0.5)
        assert time.monotonic() - started < 1.5


def test_a_dead_server_is_an_error_at_once_and_a_returned_one_is_found(
    connection: Connection, postgres: Postgres
) -> None:
    connection.ask(ASK, 3)
    postgres.kill()
    with pytest.raises(OperationalError):
        connection.ask(ASK, 3)
    with pytest.raises(OperationalError):
        connection.ask(ASK, 3)
    postgres.start()
    assert connection.ask(ASK, 3) == ["f"]


def test_a_name_is_resolved_and_every_address_behind_it_is_tried(info: str) -> None:
    # ::1 refuses, for the server listens on 127.0.0.1 alone.
    connection = Connection(make_conninfo(info, host="localhost"))

    assert [connection.ask(ASK, 3) for _ in range(5)] == [["f"]] * 5
    connection.close()


def test_a_name_that_does_not_exist_is_an_error(info: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(socket.gaierror, match="not known"):
        Connection(make_conninfo(info, host="nowhere.invalid")).ask(ASK, 3)


def test_djangos_settings_become_a_connection_string(postgres: Postgres) -> None:
    from django.conf import settings

    from core.db.connection import pooled

    for database in (
        settings.DATABASES["default"],
        pooled(settings.DATABASES["default"], max_size=3),
    ):
        connection = Connection(conninfo(database))
        assert connection.ask("SELECT current_user", 3) == ["app"]
        connection.close()


def test_one_watch_asks_and_another_takes_over_when_it_ends(info: str, postgres: Postgres) -> None:
    page = Page()
    first, second = PrimaryWatch(page, 0, info), PrimaryWatch(page, 1, info)
    first.start()
    wait_until(lambda: page.reached > 0, 5)
    second.start()
    then = page.reached
    wait_until(lambda: page.reached > then, INTERVAL + 1)
    assert page.asker == 1
    first.stop()
    then = page.reached
    wait_until(lambda: page.asker == 2 and page.reached > then, INTERVAL + TAKEOVER + 1)
    second.stop()


def test_a_lost_primary_is_found_again_within_5_s(info: str, postgres: Postgres) -> None:
    page = Page()
    watch = PrimaryWatch(page, 0, info)
    watch.start()
    wait_until(lambda: page.reached > 0, 5)
    postgres.kill()
    lost = page.reached
    wait_until(lambda: page.asked > lost + INTERVAL * 2, INTERVAL * 4 + DEADLINE)
    postgres.start()
    then = time.monotonic()
    wait_until(lambda: page.reached > then, 5)
    watch.stop()


def test_a_server_in_recovery_does_not_count(
    tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture
) -> None:
    replica = Postgres(tmp_path_factory.mktemp("replica"), settings=THROW_AWAY)
    with replica:
        replica.stop()
        (replica.directory / "data" / "standby.signal").touch()
        Server.start(replica)  # without the roles, which it could not write
        assert never_reached(replica.url("app"), caplog) == "the server is a replica"


def test_a_port_without_a_server_does_not_count(caplog: pytest.LogCaptureFixture) -> None:
    assert "refused" in never_reached(f"postgresql://app@{HOST}:{free_port()}/b", caplog)


def never_reached(url: str, caplog: pytest.LogCaptureFixture) -> str:
    """Watch `url` until the watch says why the primary is not reached; that reason."""
    page = Page()
    watch = PrimaryWatch(page, 0, make_conninfo(url))
    watch.start()
    wait_until(lambda: "does not answer" in caplog.text, 5)
    watch.stop()
    assert page.reached == 0
    return caplog.messages[-1].partition("does not answer: ")[2]
