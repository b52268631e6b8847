"""PgBouncer from the system's package, with deploy/pgbouncer/pgbouncer.ini and its numbers.

No wheel carries it. On Debian and Ubuntu: `apt-get install pgbouncer`.
"""

from __future__ import annotations

import configparser
import shutil
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.servers.identity import unprivileged
from scripts.servers.postgres import Postgres
from scripts.servers.process import Process, ServerError
from scripts.servers.server import HOST, Server

CONFIGURATION = Path(__file__).resolve().parents[2] / "deploy" / "pgbouncer" / "pgbouncer.ini"
INSTALL = "apt-get install pgbouncer"


def find_pgbouncer() -> Path | None:
    """The program, also where Debian puts it and an ordinary user's PATH does not look."""
    found = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")
    return Path(found) if found else None


class PgBouncer(Server):
    """A pooler in transaction mode in front of `postgres`, for the role `app` and any database.

    `settings` override numbers of deploy/pgbouncer/pgbouncer.ini (a drill's pool of two).
    `aliases_of` is the database for which the file's aliases stand: that of `postgres`, unless
    given. "service_worker" becomes its name with the same end, and keeps its quota.
    """

    name = "PgBouncer"

    def __init__(
        self,
        directory: Path,
        postgres: Postgres,
        *,
        port: int | None = None,
        program: Path | None = None,
        settings: Mapping[str, str | int] | None = None,
        aliases_of: str | None = None,
    ) -> None:
        super().__init__(directory, port)
        self.postgres = postgres
        self._aliases_of = aliases_of or postgres.database
        self._program = program
        self._settings = dict(settings or {})

    def url(self, role: str = "app", *, database: str | None = None) -> str:
        password = self.postgres.password(role)
        name = database or self.postgres.database
        return f"postgresql://{role}:{password}@{HOST}:{self.port}/{name}"

    def show(self, what: str) -> list[dict[str, Any]]:
        """The rows of `SHOW POOLS`, `SHOW DATABASES` and the like, as the console's reader."""
        import psycopg

        # The console knows no prepared statement, which psycopg's own cursor may send.
        with psycopg.connect(
            self.url("pgbouncer", database="pgbouncer"),
            autocommit=True,
            connect_timeout=3,
            cursor_factory=psycopg.ClientCursor,
        ) as console:
            rows = console.cursor(row_factory=psycopg.rows.dict_row)
            return rows.execute(f"SHOW {what}").fetchall()

    def _prepare(self) -> Process:
        program = self._program or find_pgbouncer()
        if program is None:
            raise ServerError(f"PgBouncer is not installed: {INSTALL}")
        try:
            identity = unprivileged(program, self.directory)
        except PermissionError as error:
            raise ServerError(str(error)) from error
        users = self.directory / "userlist.txt"
        users.touch(mode=0o600)
        # pgbouncer is the console's reader (SHOW POOLS); it has no role in PostgreSQL.
        users.write_text(
            "".join(f'"{n}" "{self.postgres.password(n)}"\n' for n in ("app", "pgbouncer"))
        )
        # Merged, not included: a section that stands twice starts again from PgBouncer's defaults,
        # and below a closed home directory the server cannot read the original.
        merged = configparser.ConfigParser(interpolation=None)
        merged.read_string(CONFIGURATION.read_text())
        merged["databases"] = self._databases(merged["databases"])
        merged["pgbouncer"].update({
            "listen_addr": HOST,
            "listen_port": str(self.port),
            "auth_file": str(users),
            "so_reuseport": "0",  # with 1, a second PgBouncer would share a taken port in silence
            **{name: str(value) for name, value in self._settings.items()},
        })  # fmt: skip
        configuration = self.directory / "pgbouncer.ini"
        with configuration.open("w") as file:
            merged.write(file)
        identity.own(users, configuration)
        return Process(
            self.name,
            [program, configuration],
            output=self.log,
            identity=identity,
            stop_timeout=2.0,  # from 1.23 on it waits for its clients to leave; 1.18 ends at once
        )

    def _databases(self, aliases: Mapping[str, str]) -> dict[str, str]:
        """Any database by its own name, and the file's aliases with their quotas."""
        found = {"*": f"host={HOST} port={self.postgres.port}"}
        for alias, words in aliases.items():
            options = dict(word.split("=", 1) for word in words.split())
            here = {"host": HOST, "port": self.postgres.port, "dbname": self._aliases_of}
            name = self._aliases_of + alias.removeprefix(options["dbname"])
            found[name] = " ".join(f"{key}={value}" for key, value in {**options, **here}.items())
        return found

    def _is_ready(self) -> bool:
        try:
            with socket.create_connection((HOST, self.port), timeout=1):
                return True
        except OSError:
            return False
