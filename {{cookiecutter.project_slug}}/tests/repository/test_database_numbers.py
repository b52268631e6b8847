"""The limits of PostgreSQL, PgBouncer and the service agree, read from the files that set them."""

from __future__ import annotations

import configparser
import re

from config.settings.components.deadline import DEADLINE_SECONDS
from core.db.connection import CONNECT_TIMEOUT
from core.migrate.management.commands.migrate import ATTEMPTS, LONGEST, PAUSE
from scripts.servers.pgbouncer import CONFIGURATION
from scripts.servers.postgres import LIMITS, ROLES_SQL

POOLERS = 2  # two pods, or two processes on a machine

# Those that come past the pooler: two migrations (the release, and one by hand), one backup, two of
# monitoring, four others (LISTEN, locks, a psql).
DIRECT = 2 + 1 + 2 + 4


def section(name: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(CONFIGURATION.read_text())
    return parser[name]


def pooler(name: str) -> int:
    return int(section("pgbouncer")[name])


def alias(name: str, option: str) -> int:
    """Of one line of [databases]; what it does not say is the file's default."""
    options = dict(word.split("=", 1) for word in section("databases")[name].split())
    inherited = "default_pool_size" if option == "pool_size" else option
    return int(options[option]) if option in options else pooler(inherited)


def ceilings() -> dict[str, int]:
    """The most server connections of each alias of one pooler."""
    return {name: alias(name, "max_db_connections") for name in section("databases")}


def server(name: str) -> int:
    found = re.search(rf"^{name} = (\d+)$", LIMITS.read_text(), re.MULTILINE)
    assert found
    return int(found[1])


def role(name: str, parameter: str) -> float:
    """In seconds."""
    pattern = rf"^ALTER ROLE {name} SET {parameter} = '(\d+)(ms|s|min)';$"
    found = re.search(pattern, ROLES_SQL.read_text(), re.MULTILINE)
    assert found
    return int(found[1]) * {"ms": 0.001, "s": 1, "min": 60}[found[2]]


def test_all_connections_fit_into_postgresql() -> None:
    pools = POOLERS * sum(ceilings().values())
    assert pools + DIRECT + server("superuser_reserved_connections") <= server("max_connections")
    assert pools <= 0.8 * server("max_connections")


def test_the_budget_that_postgresql_conf_shows_is_the_one_that_the_files_set() -> None:
    shown = dict(re.findall(r"^# {3}(\w.*?) {2,}.*?(\d+)(?: +of \d+)?$", LIMITS.read_text(), re.M))
    budget = {label: int(number) for label, number in shown.items()}
    total = budget.pop("sum")
    pools = {
        "2 PgBouncers x (24 + 6)": POOLERS * ceilings()["service"],
        "2 PgBouncers x 8": POOLERS * ceilings()["service_worker"],
    }
    others = {
        "superuser_reserved": server("superuser_reserved_connections"),
        "2 migrations": 2,
        "1 backup": 1,
        "2 monitoring": 2,
        "4 direct": 4,
    }
    assert budget == pools | others
    assert sum(budget.values()) == total <= server("max_connections")


def test_the_pool_is_what_its_parts_add_up_to() -> None:
    assert pooler("max_db_connections") == pooler("default_pool_size") + pooler("reserve_pool_size")


def test_workers_have_a_pool_of_their_own_without_a_reserve_and_less_than_requests_have() -> None:
    own = alias("service_worker", "pool_size")
    assert own == alias("service_worker", "max_db_connections")
    assert own <= alias("service", "pool_size") / 2


def test_the_poolers_descriptors_fit_into_a_process() -> None:
    spare = 32  # log, listener, DNS, epoll
    assert pooler("max_client_conn") + sum(ceilings().values()) + spare <= 1024


def test_the_innermost_timeout_ends_first() -> None:
    """lock, statement, pooler: each gives a better error than the next."""
    lock, statement = role("app", "lock_timeout"), role("app", "statement_timeout")
    assert lock < statement < pooler("query_timeout")
    assert pooler("query_wait_timeout") + pooler("query_timeout") < DEADLINE_SECONDS


def test_a_migration_gives_way_before_the_statements_that_wait_behind_it_fail() -> None:
    assert role("migrator", "lock_timeout") < role("app", "lock_timeout")


def test_a_request_behind_a_migration_has_half_of_its_second_left() -> None:
    assert role("migrator", "lock_timeout") <= 0.5


def test_a_migration_outlasts_what_a_transaction_of_the_service_can_hold() -> None:
    pauses = [min(PAUSE * 2**number, LONGEST) for number in range(ATTEMPTS - 1)]
    shortest = 0.5 * sum(pauses)  # the jitter's least
    assert shortest > role("app", "idle_in_transaction_session_timeout")


def test_a_burst_gets_the_reserve_before_its_clients_are_sent_away() -> None:
    assert pooler("reserve_pool_timeout") < pooler("query_wait_timeout")


def test_the_service_gives_up_connecting_before_the_pooler_gives_up_on_it() -> None:
    assert pooler("client_login_timeout") > CONNECT_TIMEOUT
