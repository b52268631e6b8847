"""Debian's pgBackRest beside a `Postgres`, by deploy/backup/pgbackrest.conf, with a repository in a
folder where production has a bucket.

It knows PostgreSQL up to the version of its own release: Debian's PostgreSQL, not the wheel's.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from pathlib import Path

from scripts.servers.postgres import DEBIAN, SUPERUSER, Postgres
from scripts.servers.process import ServerError

INSTALL = "apt-get install pgbackrest postgresql"
CONFIGURATION = Path(__file__).resolve().parents[2] / "deploy" / "backup" / "pgbackrest.conf"
STANZA = "service"


def find_pgbackrest() -> str | None:
    """Nothing without the PostgreSQL of the same release, either."""
    return shutil.which("pgbackrest") if DEBIAN.exists() else None


class PgBackRest:
    """The archive of `postgres`, which is restarted to write it. Raises `ServerError`.

    The program runs as the server's user, by a script that holds what differs from production.
    """

    def __init__(self, directory: Path, postgres: Postgres) -> None:
        if not find_pgbackrest():
            raise ServerError(f"pgBackRest is not installed: {INSTALL}")
        self.directory = directory
        self.postgres = postgres
        self.cipher_pass = secrets.token_hex(24)
        self._program = directory / "pgbackrest"
        self._passwords = directory / "pgpass"

    @property
    def repository(self) -> Path:
        return self.directory / "repository"

    @property
    def settings(self) -> dict[str, str]:
        """Of the server: those that pgbackrest.conf asks for, and a socket for the program."""
        return {
            "archive_mode": "on",
            "archive_command": f"{self._program} archive-push %p",
            "archive_timeout": "60",
            "full_page_writes": "on",
            "wal_level": "replica",
            "unix_socket_directories": str(self.directory),
        }

    def prepare(self) -> None:
        """Write the program's script; before the server is started with `settings`."""
        self.directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        for name in ("repository", "lock", "spool", "conf.d"):
            (self.directory / name).mkdir(mode=0o700, exist_ok=True)
        configuration = self.directory / "pgbackrest.conf"
        shutil.copyfile(CONFIGURATION, configuration)  # the server's user may not reach the other
        (self.directory / "conf.d" / "secrets.conf").write_text(
            f"[global]\nrepo1-cipher-pass={self.cipher_pass}\n"
        )
        self._passwords.touch(mode=0o600)
        self._passwords.write_text(f"*:*:*:*:{self.postgres.password(SUPERUSER)}\n")
        variables = {
            "PGBACKREST_CONFIG": configuration,
            "PGBACKREST_CONFIG_INCLUDE_PATH": self.directory / "conf.d",
            "PGBACKREST_STANZA": STANZA,
            "PGBACKREST_REPO1_TYPE": "posix",
            "PGBACKREST_REPO1_PATH": self.repository,
            "PGBACKREST_LOCK_PATH": self.directory / "lock",
            "PGBACKREST_SPOOL_PATH": self.directory / "spool",
            "PGBACKREST_PG1_PATH": self.postgres.directory / "data",
            "PGBACKREST_PG1_PORT": self.postgres.port,
            "PGBACKREST_PG1_SOCKET_PATH": self.directory,
            "PGBACKREST_PG1_USER": SUPERUSER,
            "PGPASSFILE": self._passwords,
        }
        exports = "".join(
            f": ${{{name}:={value}}}; export {name}\n" for name, value in variables.items()
        )
        self._program.write_text(f'#!/bin/sh\n{exports}exec pgbackrest "$@"\n')
        self._program.chmod(0o755)
        self.postgres._identity.own(self.directory)

    def run(self, *arguments: str, **variables: str) -> str:
        """One command as the server's user; what it printed. Raises `ServerError`."""
        identity = self.postgres._identity
        done = subprocess.run(
            [*identity.prefix, str(self._program), *arguments],
            env={"PATH": os.defpath, "LC_ALL": "C", **variables},
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            **identity.popen,
        )
        if done.returncode:
            raise ServerError(f"pgbackrest {arguments[0]}: {done.stdout}{done.stderr}".strip())
        return done.stdout

    def backup(self) -> None:
        """The stanza, when it is new, and a full backup; returns when its WAL is archived."""
        self.run("stanza-create")
        self.run("--type=full", "backup")

    def await_all(self, seconds: float = 60.0) -> None:
        """Archive what was written until now: the segment in use goes when it is full, or old."""
        last = self.postgres.psql("SELECT pg_walfile_name(pg_switch_wal())")
        archived = f"SELECT last_archived_wal >= '{last}' FROM pg_stat_archiver"  # noqa: S608
        self.postgres.process.wait_until(lambda: self.postgres.psql(archived) == "t", seconds)

    def restored(self, directory: Path, at: str) -> Postgres:
        """A server beside the old one with all that was committed until `at`; not started.

        `at` is a time as PostgreSQL writes it. Its roles and passwords are those of the old.
        """
        data = directory / "data"
        data.mkdir(mode=0o700, parents=True)
        self.postgres._identity.own(directory)
        here = f"PGBACKREST_PG1_PATH={data}"  # archive-get refuses the folder of another server
        self.run(
            *("--type=time", f"--target={at}", "--target-action=promote"),
            f"--recovery-option=restore_command=env {here} {self._program} archive-get %f %p",
            "restore",
            PGBACKREST_PG1_PATH=str(data),
        )
        return Restored(directory, self.postgres)


class Restored(Postgres):
    """A server whose data came from the archive, and that adds nothing to it."""

    name = "the restored PostgreSQL"

    def __init__(self, directory: Path, source: Postgres) -> None:
        ours = {"archive_mode", "archive_command", "unix_socket_directories"}
        settings = {name: value for name, value in source.settings.items() if name not in ours}
        super().__init__(
            directory, programs=source.programs, settings=settings, database=source.database
        )
        self._source = source

    def password(self, role: str) -> str:
        return self._source.password(role)

    def create_database(self, name: str, *, role: str = SUPERUSER) -> None:
        """Nothing: it came with the backup."""
