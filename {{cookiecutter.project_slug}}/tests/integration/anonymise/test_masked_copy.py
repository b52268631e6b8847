"""`manage.py anonymise` on a copy with a word of its own in every column."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest
from pytest_django import Settings

from core.anonymise.refusals import of_production, refusals
from core.environment.databases import database_url
from core.privacy.columns import declarations, kinds
from core.privacy.kinds import Kind
from scripts.servers import Postgres, Stack
from tests.integration.anonymise.canaries import columns, seed
from tests.stack import BASE_DIR, clean_environment, migrate

COPY = "masked_copy"
PRODUCTION = "postgresql://app@production.invalid:5432/service"


@pytest.fixture(scope="module")
def migrated(servers: Stack) -> Postgres:
    assert servers.postgres
    servers.postgres.create_database(COPY)
    migrate(COPY)
    return servers.postgres


@pytest.fixture
def copy(migrated: Postgres) -> Iterator[Postgres]:
    seed(migrated, COPY)
    yield migrated
    migrated.psql("DROP TABLE IF EXISTS left_behind", database=COPY)


def anonymise(
    postgres: Postgres, *arguments: str, named: str = COPY, **variables: str
) -> subprocess.CompletedProcess[str]:
    """The command as its own process, as the owner of the tables; never raises."""
    given = {
        name: os.environ[name]
        for name in ("CACHE_URL", "BROKER_URL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE")
    }
    given |= {
        "DATABASE_URL": postgres.url("migrator", database=COPY),
        "PRODUCTION_DATABASE_URL": PRODUCTION,
        **variables,
    }
    return subprocess.run(
        [sys.executable, "manage.py", "anonymise", "--database", named, *arguments],
        cwd=BASE_DIR,
        env=clean_environment(**{name: value for name, value in given.items() if value}),
        capture_output=True,
        text=True,
        check=False,
    )


def dumped(postgres: Postgres) -> str:
    return subprocess.run(
        [postgres.programs / "pg_dump", "--inserts", postgres.url("migrator", database=COPY)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def words_in(text: str) -> set[str]:
    """Also those of binary columns, which a dump writes as hexadecimal."""
    binary = "".join(
        bytes.fromhex(found).decode("latin1")
        for found in re.findall(r"\\x((?:[0-9a-f]{2})+)", text)
    )
    return set(re.findall(r"zq\d{4}zq", text + binary))


def public() -> set[str]:
    """The words of columns that were declared to say nothing of anybody."""
    declared = declarations()
    found = set()
    for word, field in columns().items():
        kept = declared[field.model._meta.label]
        if kept is not None and dict(kinds(kept))[field.name] is Kind.PUBLIC:
            found.add(word)
    return found


def test_no_word_of_a_person_and_no_secret_is_left(copy: Postgres) -> None:
    before = words_in(dumped(copy))
    assert before == set(columns())  # else this test looks at less than it says
    done = anonymise(copy)
    assert done.returncode == 0, done.stderr
    text = dumped(copy)
    assert words_in(text) == public()
    assert "customer.example.com" not in text
    assert "@example.invalid" in text
    # What the planner keeps: the most frequent values of each column.
    statistics = copy.psql(
        "SELECT coalesce(most_common_vals::text, '') || coalesce(histogram_bounds::text, '') "
        "FROM pg_stats WHERE schemaname = 'public'",
        database=COPY,
    )
    assert words_in(statistics) <= public()


def test_a_key_gives_one_address_one_mask_in_every_copy(copy: Postgres, tmp_path: Path) -> None:
    key = b"k" * 32
    (tmp_path / "key").write_bytes(key)
    copy.psql(
        "UPDATE users_user SET email = 'ada@customer.example.com';"
        "UPDATE account_emailaddress SET email = 'Ada@customer.example.com'",
        database=COPY,
    )
    done = anonymise(copy, "--key-file", str(tmp_path / "key"))
    assert done.returncode == 0, done.stderr
    inner = sha256(key + b"ada@customer.example.com").digest()
    mask = f"user-{sha256(key + inner).hexdigest()[:16]}@example.invalid"
    assert copy.psql("SELECT email FROM users_user", database=COPY) == mask
    assert copy.psql("SELECT email FROM account_emailaddress", database=COPY) == mask


def test_more_rows_than_a_batch_are_masked_and_empty_ones_stay(copy: Postgres) -> None:
    copy.psql(
        "INSERT INTO users_user (id, email, name, password, is_superuser, is_staff, is_active, "
        "created_at) SELECT n, n || '@customer.example.com', '', '', false, false, true, now() "
        "FROM generate_series(2, 25001) AS n",
        database=COPY,
    )
    done = anonymise(copy)
    assert done.returncode == 0, done.stderr
    assert "users_user: 25001 rows" in done.stdout
    counts = (
        "SELECT count(*), count(DISTINCT email), count(*) FILTER (WHERE name = '') FROM users_user"
    )
    assert copy.psql(counts, database=COPY) == "25001|25001|25000"
    assert "customer.example.com" not in dumped(copy)
    # Nor are the former values in the files of tables and indexes, as pages that were emptied.
    copy.psql("CHECKPOINT")
    paths = copy.psql(
        "SELECT pg_relation_filepath(oid) FROM pg_class "
        "WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')",
        database=COPY,
    )
    content = b"".join((copy.directory / "data" / path).read_bytes() for path in paths.split())
    assert b"@example.invalid" in content
    assert b"customer.example.com" not in content


def test_every_reason_not_to_is_told_at_once_and_nothing_is_changed(copy: Postgres) -> None:
    """Another name, a session of another role, and what a release left behind."""
    copy.psql("CREATE TABLE left_behind (email text)", role="migrator", database=COPY)
    copy.psql("ALTER TABLE users_user ADD phone text", role="migrator", database=COPY)
    try:
        with psycopg.connect(copy.url("app", database=COPY)):
            refused = anonymise(copy, named="service", PRODUCTION_DATABASE_URL="")
    finally:
        copy.psql("ALTER TABLE users_user DROP phone", role="migrator", database=COPY)
    assert refused.returncode == 1
    assert f"The database is {COPY}, and service is the one that was named" in refused.stderr
    assert "1 other sessions use it" in refused.stderr
    assert "public.left_behind is of no model" in refused.stderr
    assert "users_user.phone is of no model" in refused.stderr
    assert "PRODUCTION_DATABASE_URL is not set" in refused.stderr
    assert words_in(dumped(copy)) == set(columns())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_database_of_production_is_refused_by_whatever_name(
    settings: Settings, host: str
) -> None:
    ours = settings.DATABASES["default"]
    url = f"postgresql://app@{host}:{ours['PORT']}/"
    settings.PRODUCTION_DATABASE = database_url(url + ours["NAME"])
    assert list(of_production()) == [
        "This is the database of production, by PRODUCTION_DATABASE_URL."
    ]
    settings.PRODUCTION_DATABASE = database_url(url + "another")
    assert list(of_production()) == []


def test_the_settings_of_production_are_refused(settings: Settings) -> None:
    settings.ANONYMISE_REFUSED = True
    assert list(refusals(COPY)) == ["These are the settings of production."]
