"""Whoever migrates is alone with the schema, past any pooler."""

from __future__ import annotations

import signal

import pytest
from django.core.management import call_command

from core.migrate.session import KEY
from scripts.servers import PgBouncer
from tests.integration.migrate.conftest import DATABASE, INDEX, INSERT, VALID, Site, ended


def test_three_at_once_on_an_empty_database_succeed(empty: Site) -> None:
    running = [empty.start("--verbosity=0", app="") for _ in range(3)]
    assert [ended(one) for one in running] == [(0, "")] * 3
    assert empty.ask("SELECT count(*) > 20 FROM django_migrations") == "t"


def test_one_that_waits_too_long_for_another_says_for_whom(site: Site) -> None:
    with site.session("migrator") as other:
        other.execute("SELECT pg_advisory_lock(%s)", [KEY])
        code, told = site.migrate("--wait=1")
        pid = other.info.backend_pid
    assert code == 75
    assert told == (
        f"CommandError: Another run of migrate held its lock for 1 s: process {pid} of migrator, "
        "from 127.0.0.1. Run it again later.\n"
    )


def test_one_that_waits_does_not_stop_the_index_that_the_other_builds(
    site: Site, postgres: object
) -> None:
    """Inside pg_advisory_lock() it would have a snapshot, which CONCURRENTLY waits for."""
    site.write("0002_index", INDEX, atomic=False)
    with site.session("app") as writer:
        writer.execute(INSERT)
        running = [site.start(), site.start()]
        seen = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_try_advisory%'"
        wait_for(site, seen, "1")
        wait_for(site, VALID, "f")
    assert [ended(one) for one in running] == [(0, "")] * 2
    assert site.ask(VALID) == "t"


def test_the_lock_of_one_that_was_killed_is_free(site: Site) -> None:
    site.write("0002_sleep", 'migrations.RunSQL("SELECT pg_sleep(600)", migrations.RunSQL.noop)')
    running = site.start()
    wait_for(site, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%'", "2")
    running.send_signal(signal.SIGKILL)
    running.communicate()
    (site.folder / "0002_sleep.py").unlink()
    assert site.migrate("--wait=20")[0] == 0


def test_through_a_pooler_it_does_not_start(site: Site, pgbouncer: PgBouncer) -> None:
    pooled = pgbouncer.url("app", database="service")
    running = site.start(DATABASE_DIRECT_URL=pooled)
    code, told = ended(running)
    assert (code, len(told.splitlines())) == (78, 1)
    assert "A pooler stands before this database" in told


def test_a_server_that_is_away_is_one_line_and_no_lasting_failure(site: Site) -> None:
    running = site.start(DATABASE_DIRECT_URL="postgresql://migrator:no@127.0.0.1:9/" + DATABASE)
    code, told = ended(running)
    assert (code, len(told.splitlines())) == (75, 1)
    assert "The database cannot be reached" in told


@pytest.mark.django_db
def test_a_test_runner_makes_its_database_through_whatever_there_is() -> None:
    """Django's runner calls the command in its own process, with DATABASE_URL as it is."""
    call_command("migrate", verbosity=0)


def wait_for(site: Site, sql: str, wanted: str) -> None:
    assert site.postgres.process.wait_until(lambda: site.ask(sql) == wanted, 120) is None
