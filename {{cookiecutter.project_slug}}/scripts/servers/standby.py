"""A streaming replica of a `Postgres`, which a drill makes the primary."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from scripts.servers.postgres import SUPERUSER, Postgres
from scripts.servers.process import ServerError
from scripts.servers.server import HOST


class Standby(Postgres):
    """Copies `primary`, which runs, at its first start and follows it from then on.

    Its roles and passwords are those of the primary.
    """

    name = "PostgreSQL's standby"

    def __init__(self, directory: Path, primary: Postgres) -> None:
        super().__init__(
            directory,
            programs=primary.programs,
            settings=primary.settings,
            database=primary.database,
        )
        self.primary = primary

    def password(self, role: str) -> str:
        return self.primary.password(role)

    def create_database(self, name: str, *, role: str = SUPERUSER) -> None:
        """Nothing: it came with the copy."""

    def promote(self) -> None:
        """Make it the primary, and return when it takes writes. Raises `ServerError`."""
        if self.psql("SELECT pg_promote(wait => true, wait_seconds => 30)") != "t":
            raise ServerError(f"{self.name} was not promoted within 30 s.")

    def _initialise(self) -> None:
        fresh = self.directory / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        self._identity.own(self.directory)
        done = subprocess.run(
            [
                *self._identity.prefix,
                *(str(self._program("pg_basebackup")), "--pgdata", str(fresh)),
                # With a slot the primary keeps what a standby that was away has not had.
                *("--write-recovery-conf", "--create-slot", "--slot=standby"),
                *("--wal-method=stream", "--checkpoint=fast", "--no-sync"),
                *("--host", HOST, "--port", str(self.primary.port), "--username", SUPERUSER),
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C", "PGPASSWORD": self.password(SUPERUSER)},
            **self._identity.popen,
        )
        if done.returncode:
            raise ServerError(f"pg_basebackup failed: {done.stderr.strip()}")
        fresh.rename(self._data)
