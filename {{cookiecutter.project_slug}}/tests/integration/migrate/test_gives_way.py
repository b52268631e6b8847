"""A migration that meets a lock gives way, says who held it, and tries again, or ends with 75."""

from __future__ import annotations

import signal

from tests.integration.migrate.conftest import COLUMN, INDEX, INSERT, VALID, Site, ended, line_with
from tests.integration.migrate.test_one_at_a_time import wait_for

SESSIONS = (
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE usename = 'migrator' AND datname = current_database()"
)
COLUMNS = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'warehouse_item'"


def test_it_is_tried_again_until_the_reader_is_done(site: Site) -> None:
    site.write("0002_colour", COLUMN)
    with site.session("app") as reader:
        reader.execute("SELECT count(*) FROM warehouse_item")
        running = site.start()
        told = line_with(running, "Again in")
        pid = reader.info.backend_pid
    assert told.startswith("warehouse.0002_colour: canceling statement due to lock timeout; ")
    assert f"warehouse_item was held by process {pid} (reader of app). Again in " in told
    assert ended(running)[0] == 0
    assert site.ask(COLUMNS) == "6"


def test_in_the_end_it_gives_up_with_the_old_schema_and_says_that_it_may_be_run_again(
    site: Site,
) -> None:
    site.write("0002_two", f'migrations.RemoveField("shelf", "place"), {COLUMN}')
    with site.session("app") as reader:
        reader.execute("SELECT count(*) FROM warehouse_item")
        code, told = site.migrate("--attempts=2")
    assert code == 75
    last = told.splitlines()[-1]
    assert last.startswith("CommandError: warehouse.0002_two: canceling statement due to lock")
    assert "(reader of app). Given up after 2 attempts: the schema is as it was" in last
    assert "Traceback" not in told
    assert site.ask(COLUMNS) == "5"
    assert site.ask("SELECT place FROM warehouse_shelf") == ""


def test_what_no_lock_refused_is_not_tried_again(site: Site) -> None:
    site.write("0002_typo", 'migrations.RunSQL("ALTER TABLE typo ADD a int", "SELECT 1")')
    running = site.start()
    printed, told = running.communicate(timeout=120)
    assert (running.returncode, told) == (1, "")
    assert 'relation "typo" does not exist' in printed.replace("\\", "")  # a line of JSON


def test_an_index_outlasts_a_transaction_that_an_alter_table_gives_way_to(site: Site) -> None:
    """CONCURRENTLY waits for every older transaction, and nobody waits behind it."""
    site.write("0002_index", INDEX, atomic=False)
    with site.session("app") as writer:
        writer.execute(INSERT)
        running = site.start()
        wait_for(site, VALID, "f")
        writer.execute("SELECT pg_sleep(1.5)")
    assert ended(running) == (0, "")


def test_a_rerun_drops_what_a_killed_one_left_and_builds_it(site: Site) -> None:
    other = INDEX.replace("item_weight", "item_note").replace("weight", "note")
    site.write("0002_indexes", f"{other}, {INDEX}", atomic=False)
    # As if the run before had been killed in the middle of the second.
    site.postgres.psql(
        "CREATE INDEX item_note ON warehouse_item (note)", role="migrator", database=site.database
    )
    with site.session("app") as writer:
        writer.execute(INSERT)
        running = site.start()
        wait_for(site, VALID, "f")
        running.send_signal(signal.SIGKILL)
        running.communicate()
        wait_for(site, SESSIONS, "0")
    assert site.ask(VALID) == "f"
    code, told = site.migrate()
    assert code == 0
    kept, dropped = told.splitlines()
    assert kept.startswith("The index item_note is there, and valid: kept as it is (CREATE INDEX")
    assert dropped == "The index item_weight was left invalid by a run that was cut off: dropped."
    assert site.ask(VALID) == "t"
