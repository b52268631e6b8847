"""The limits of PostgreSQL, PgBouncer and the service agree, read from the files that set them."""

from __future__ import annotations

import configparser
import re

from config.settings.components.deadline import DEADLINE_SECONDS
from core.db.connection import CONNECT_TIMEOUT
from scripts.servers.pgbouncer import CONFIGURATION
from scripts.servers.postgres import LIMITS, ROLES_SQL

POOLERS = 2  # two pods, or two processes on a machine

# Those that come past the pooler: two migrations (the release, and one by hand), one backup, two of
# monitoring, four others (LISTEN, locks, a psql).
DIRECT = 2 + 1 + 2 + 4


def pooler(name: str) -> int:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(CONFIGURATION.read_text())
    return int(parser["pgbouncer"][name])


def server(name: str) -> int:
    found = re.search(rf"^{name} = (\d+)$", LIMITS.read_text(), re.MULTILINE)
    assert found
    return int(found[1])


def role(name: str, parameter: str) -> int:
    """In seconds."""
    pattern = rf"^ALTER ROLE {name} SET {parameter} = '(\d+)(s|min)';$"
    found = re.search(pattern, ROLES_SQL.read_text(), re.MULTILINE)
    assert found
    return int(found[1]) * (60 if found[2] == "min" else 1)


def test_all_connections_fit_into_postgresql() -> None:
    pools = POOLERS * pooler("max_db_connections")
    assert pools + DIRECT + server("superuser_reserved_connections") <= server("max_connections")
    assert pools <= 0.8 * server("max_connections")


def test_the_pool_is_what_its_parts_add_up_to() -> None:
    assert pooler("max_db_connections") == pooler("default_pool_size") + pooler("reserve_pool_size")


def test_the_poolers_descriptors_fit_into_a_process() -> None:
    spare = 32  # log, listener, DNS, epoll
    assert pooler("max_client_conn") + pooler("max_db_connections") + spare <= 1024


def test_the_innermost_timeout_ends_first() -> None:
    """lock, statement, pooler: each gives a better error than the next."""
    lock, statement = role("app", "lock_timeout"), role("app", "statement_timeout")
    assert lock < statement < pooler("query_timeout")
    assert pooler("query_wait_timeout") + pooler("query_timeout") < DEADLINE_SECONDS


def test_a_migration_gives_way_before_the_statements_that_wait_behind_it_fail() -> None:
    assert role("migrator", "lock_timeout") < role("app", "statement_timeout")


def test_a_burst_gets_the_reserve_before_its_clients_are_sent_away() -> None:
    assert pooler("reserve_pool_timeout") < pooler("query_wait_timeout")


def test_the_service_gives_up_connecting_before_the_pooler_gives_up_on_it() -> None:
    assert pooler("client_login_timeout") > CONNECT_TIMEOUT
