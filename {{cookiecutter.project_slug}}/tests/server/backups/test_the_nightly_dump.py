"""deploy/backup/dump.sh and verify.sh with the real PostgreSQL and the real age."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from tests.server.backups.vault import SCRIPTS, Vault


def databases(vault: Vault) -> str:
    return vault.postgres.psql("SELECT datname FROM pg_database WHERE datname LIKE 'verify%'")


def test_a_dump_restores_to_the_rows_it_was_made_from_and_says_so(vault: Vault) -> None:
    before = time.time()
    dumped = vault.dump()
    assert dumped.returncode == 0, dumped.stderr
    assert vault.metric("backup_last_success_timestamp_seconds") >= int(before)
    assert vault.metric("backup_size_bytes") == vault.newest().stat().st_size
    # What is written later belongs to the next night.
    vault.postgres.psql("UPDATE note SET body = 'later'", role="migrator", database=vault.database)
    verified = vault.verify()
    assert verified.returncode == 0, verified.stderr
    assert vault.metric("backup_verified_rows") == 1000
    assert vault.metric("backup_verified_timestamp_seconds") >= int(before)
    assert databases(vault) == ""


def test_a_dump_that_lost_a_row_is_refused(vault: Vault) -> None:
    assert vault.dump().returncode == 0
    checksums = Path(str(vault.newest()).removesuffix(".dump.age") + ".checksums")
    vault.postgres.psql("DELETE FROM note WHERE id = 7", role="migrator", database=vault.database)
    told = checksums.read_text()
    assert vault.dump().returncode == 0
    newest = Path(str(vault.newest()).removesuffix(".dump.age") + ".checksums")
    newest.write_text(told)
    vault.metrics.unlink()
    verified = vault.verify()
    assert verified.returncode == 1
    assert "restores to other rows" in verified.stderr
    assert not vault.metrics.exists()
    assert databases(vault) == ""


def test_who_has_the_host_has_no_dump(vault: Vault, tmp_path: Path) -> None:
    """The host's files are the recipients; no key of anybody else opens it either."""
    assert vault.dump().returncode == 0
    assert b"PGDMP" not in vault.newest().read_bytes()
    other = tmp_path / "other"
    subprocess.run(["age-keygen", "--output", other], capture_output=True, check=True)
    for key in (vault.recipients, other):
        refused = subprocess.run(
            ["age", "--decrypt", "--identity", key, vault.newest()],
            capture_output=True,
            check=False,
        )
        assert refused.returncode != 0
        assert refused.stdout == b""


def test_a_private_key_on_the_host_stops_the_dump(vault: Vault) -> None:
    vault.recipients.write_text(vault.identity.read_text())
    stopped = vault.dump()
    assert stopped.returncode == 78
    assert "private key" in stopped.stderr


def test_a_dump_that_breaks_off_leaves_nothing_that_looks_like_one(vault: Vault) -> None:
    """A table that may not be read ends pg_dump in the middle, behind a pipe."""
    vault.postgres.psql("CREATE TABLE secret (id int)", database=vault.database)
    try:
        broken = vault.dump()
    finally:
        vault.postgres.psql("DROP TABLE secret", database=vault.database)
    assert broken.returncode != 0
    assert "pg_dump failed" in broken.stderr
    assert list((vault.dumps / "all").iterdir()) == []
    assert not vault.metrics.exists()
    assert vault.dump().returncode == 0  # and its lock is gone


def test_a_changed_byte_is_found(vault: Vault) -> None:
    assert vault.dump().returncode == 0
    content = bytearray(vault.newest().read_bytes())
    content[-40] ^= 1
    vault.newest().chmod(0o600)
    vault.newest().write_bytes(content)
    assert vault.verify().returncode == 1


def test_days_weeks_and_months_are_kept_and_the_rest_is_forgotten(vault: Vault) -> None:
    assert vault.dump().returncode == 0
    for folder, names in {
        "days": [f"2020-01-{day:02}" for day in range(1, 31)],
        "weeks": [f"2020-W{week:02}" for week in range(1, 31)],
        "months": [f"20{year}-01" for year in range(10, 26)],
    }.items():
        for name in names:
            (vault.dumps / folder / f"{name}.dump.age").touch()
            (vault.dumps / folder / f"{name}.checksums").touch()
    assert vault.dump(BACKUP_DAYS="14", BACKUP_WEEKS="8", BACKUP_MONTHS="12").returncode == 0
    kept = {folder: vault.names(folder) for folder in ("days", "weeks", "months")}
    assert {folder: len(names) for folder, names in kept.items()} == {
        "days": 14,
        "weeks": 8,
        "months": 12,
    }
    assert kept["days"][0] == "2020-01-18.dump.age"  # the oldest went, with its checksums
    assert len(list((vault.dumps / "days").iterdir())) == 28


def test_the_password_is_on_no_command_line(vault: Vault, tmp_path: Path) -> None:
    """Whoever may run `ps` would read it."""
    seen = tmp_path / "seen"
    shims = tmp_path / "shims"
    shims.mkdir()
    for name in ("pg_dump", "psql"):
        shim = shims / name
        shim.write_text(
            f'#!/bin/sh\necho "$@" >>{seen}\nexec {vault.postgres.programs / name} "$@"\n'
        )
        shim.chmod(0o755)
    path = f"{shims}:/usr/bin:/bin"
    assert vault.dump(PATH=path).returncode == 0
    assert vault.postgres.password("migrator") not in seen.read_text()
    assert "migrator@127.0.0.1" in seen.read_text()


def test_a_file_that_cannot_be_taken_off_the_host_fails_the_dump(vault: Vault) -> None:
    failed = vault.dump(BACKUP_UPLOAD="false")
    assert failed.returncode == 1
    assert "taken off this host" in failed.stderr
    assert not vault.metrics.exists()


@pytest.mark.parametrize(
    ("written", "password"), [("pw", "pw"), ("p%40w%3A%2f%25", "p@w:/%"), ("%C3%A9", "é")]
)
def test_a_password_is_decoded_as_libpq_does(written: str, password: str) -> None:
    told = subprocess.run(
        [
            "sh",
            "-c",
            '. "$0"; connect_to "$1"; printf "%s %s" "$PGPASSWORD" "$url"',
            SCRIPTS / "database.sh",
            f"postgresql://app:{written}@db:5432/service?sslmode=require",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == f"{password} postgresql://app@db:5432/service?sslmode=require"


def test_the_scripts_are_clean_for_shellcheck() -> None:
    scripts = sorted(SCRIPTS.glob("*.sh"))
    try:
        told = subprocess.run(
            ["shellcheck", "--external-sources", *scripts],
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        pytest.skip("shellcheck is not installed")
    assert told.stdout == ""
