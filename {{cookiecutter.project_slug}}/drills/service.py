"""The whole service on 127.0.0.1 for one drill: servers, roles and a ledger of its own.

What holds a process is that of the server tests (tests/server/roles.py), and so is its environment.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import psycopg

from drills.ledger import Ledger
from scripts.servers import PgBouncer, Postgres, ServerError, Stack, Valkey
from scripts.servers.pgbouncer import INSTALL
from tests.server.conftest import READY, production_environment
from tests.server.roles import START_TIMEOUT, Role, Running
from tests.stack import BASE_DIR, program

# What each role is started with, after its name.
ARGUMENTS = {
    "web": ("drills.app.web:application",),
    "worker": ("high,default,low", "--concurrency", "2", "--include", "drills.app.tasks"),
    "relay": (),
}


class Service:
    """`with` starts the servers and makes the schema; `roles` starts what serves and works.

    The environment is that of production, with the pooler between. With `pool` the web's threads
    share a pool of psycopg's, the other choice of docs/decisions. `programs` is the bin folder of
    another PostgreSQL than the wheel's. Raises `ServerError`.
    """

    def __init__(self, folder: Path, *, pool: bool = False, programs: Path | None = None) -> None:
        self._pool = pool
        self.servers = Stack(folder, throw_away=True, pooler=True, programs=programs)
        if self.servers.pgbouncer is None:
            raise ServerError(f"A drill needs PgBouncer: {INSTALL}")
        # What is thrown away in tests for speed is what a drill counts: without it, a crash of the
        # server takes the last commits along.
        self.postgres.settings["synchronous_commit"] = "on"
        self._env = production_environment(
            self.servers, {"DATABASE_URL": self.pgbouncer.url("app")}
        )
        self.ledger = Ledger(self.postgres, self.broker, self.postgres.database)

    @property
    def postgres(self) -> Postgres:
        assert self.servers.postgres
        return self.servers.postgres

    @property
    def pgbouncer(self) -> PgBouncer:
        assert self.servers.pgbouncer
        return self.servers.pgbouncer

    @property
    def cache(self) -> Valkey:
        assert self.servers.cache
        return self.servers.cache

    @property
    def broker(self) -> Valkey:
        assert self.servers.broker
        return self.servers.broker

    def __enter__(self) -> Self:
        self.servers.start()
        try:
            self._migrate()
            self.ledger.open()
        except BaseException:
            self.servers.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.servers.stop()

    @contextmanager
    def roles(
        self, *names: str, env: Mapping[str, str] | None = None, **arguments: tuple[str, ...]
    ) -> Iterator[dict[str, Role]]:
        """Those roles, ready; they start together and end with the block.

        `arguments` stand for a role's usual ones, `env` for its variables.
        """
        usual = ARGUMENTS | (
            {"web": ("drills.app.web_with_pool:application",)} if self._pool else {}
        )
        given = {**usual, **arguments}
        found = {name: self.role(name, *given[name], env=env) for name in names}
        with ThreadPoolExecutor() as pool:
            try:
                list(pool.map(start, found.values()))
                yield found
            finally:
                list(pool.map(Role.stop, found.values()))

    def role(self, name: str, *arguments: str, env: Mapping[str, str] | None = None) -> Role:
        """One role, not started. Who works behind has a pool apart, as in production."""
        database = self.postgres.database + ("" if name == "web" else "_worker")
        url = self.pgbouncer.url("app", database=database)
        return Role(name, arguments, {**self._env, "DATABASE_URL": url, **(env or {})})

    def program(
        self, module: str, *arguments: str, env: Mapping[str, str] | None = None
    ) -> Running:
        """`python -m module` with the environment of a relay, started."""
        relay = self.role("relay", env=env)
        found = Running(module, [program("python"), "-m", module, *arguments], relay.env)
        found.start()
        return found

    def pooler_does(self, command: str) -> None:
        """PAUSE or RESUME, for a pooler whose `admin_users` has its reader."""
        url = self.pgbouncer.url("pgbouncer", database="pgbouncer")
        with psycopg.connect(url, autocommit=True, cursor_factory=psycopg.ClientCursor) as console:
            console.execute(command.encode())

    def pool_by(self, settings: Mapping[str, str | int]) -> None:
        """Replace the pooler by one with other numbers, on its port."""
        old = self.pgbouncer
        old.stop()
        new = PgBouncer(old.directory, self.postgres, port=old.port, settings=settings)
        self.servers.pgbouncer = new.start()

    def postgres_by(self, settings: Mapping[str, str]) -> None:
        """Restart PostgreSQL with other parameters."""
        self.postgres.stop()
        self.postgres.settings.update(settings)
        self.postgres.start()

    def fail_over(self, standby: Postgres) -> None:
        """Point the pooler and the ledger at another server."""
        self.servers.postgres = standby
        self.ledger.follow(standby)
        self.pool_by({})

    def _migrate(self) -> None:
        done = subprocess.run(
            [BASE_DIR / "scripts" / "start.sh", "migrate", "--verbosity=0"],
            env=self._env,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ServerError(f"The database cannot be migrated:\n{done.stdout}{done.stderr}")


def start(role: Role) -> None:
    """Start it and wait until it is ready. Raises `AssertionError` with what it printed."""
    role.start()
    role.wait_until(lambda: READY[role.name](role), START_TIMEOUT)
