"""Django's `migrate`, for a release that meets a service in use: see `core.migrate`."""

from __future__ import annotations

import random
from contextlib import nullcontext
from threading import Event
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import DatabaseError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration

from core.migrate.blockers import Watch
from core.migrate.indexes import built, drop_invalid
from core.migrate.session import OtherRunError, alone, is_pooled, take

# Of sysexits.h. 75: nothing is broken, run it again; 78: the environment is wrong.
EX_TEMPFAIL, EX_CONFIG = 75, 78
# What a queue for a lock ends in, and only that: lock_timeout, a deadlock's victim, serialization.
REFUSALS = {"55P03", "40P01", "40001"}
# With the pauses below they reach over half a minute; a transaction of the service ends within 10 s
# (idle_in_transaction_session_timeout), a statement within 5.
ATTEMPTS = 8
# Seconds before the second attempt, doubled up to the longest. While it waits for a lock everybody
# waits behind it, for half a second of each pause at most.
PAUSE, LONGEST = 0.5, 8.0
# Seconds that a run waits for another one; one index on a big table may take as long.
OTHER_RUN = 600.0
# CONCURRENTLY waits for the end of every transaction that is older than it, and stops nobody: the
# role's 500 ms would end it at each transaction that is a little longer.
CONCURRENTLY_WAITS = "60s"


class Command(migrate.Command):
    """Adds `--attempts` and `--wait`. Exits with 75 when locks are held for all that time.

    What an earlier attempt applied is applied, and the migration that was refused is rolled back.
    """

    _is_command = False
    _migration: Migration | None = None
    _connection: BaseDatabaseWrapper
    _wait = OTHER_RUN

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--attempts", type=int, default=ATTEMPTS, help="how often a lock may refuse it"
        )
        parser.add_argument(
            "--wait", type=float, default=OTHER_RUN, help="seconds to wait for another run"
        )

    def run_from_argv(self, argv: list[str]) -> None:
        self._is_command = True
        super().run_from_argv(argv)

    def execute(self, *args: Any, **options: Any) -> str | None:
        self._connection = connections[options["database"]]
        self._wait = options["wait"]
        try:  # before the checks, some of which ask the database
            self._connection.ensure_connection()
        except OperationalError as error:
            reason = str(error).strip().partition("\n")[0]
            raise CommandError(
                f"The database cannot be reached: {reason}", returncode=EX_TEMPFAIL
            ) from error
        return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["plan"] or options["check_unapplied"]:
            super().handle(*args, **options)
        elif is_pooled(self._connection):
            if self._is_command:
                raise CommandError(
                    "A pooler stands before this database, and migrations hold locks of a session: "
                    "start them by `scripts/start.sh migrate`, with DATABASE_DIRECT_URL.",
                    returncode=EX_CONFIG,
                )
            super().handle(*args, **options)  # a test runner's database, which is its own
        else:
            try:
                with alone(self._connection, self._wait):
                    self._until_it_is_let(*args, **options)
            except OtherRunError as error:
                raise CommandError(str(error), returncode=EX_TEMPFAIL) from None

    def migration_progress_callback(
        self, action: str, migration: Migration | None = None, fake: bool = False
    ) -> None:
        """Django's; before a migration, the way is cleared for it."""
        super().migration_progress_callback(action, migration, fake)
        self._migration = migration if action in ("apply_start", "unapply_start") else None
        if self._migration is None or migration is None:
            return
        if fake or is_pooled(self._connection):
            return
        take(self._connection, self._wait)
        self._clear_the_way(migration, backwards=action == "unapply_start")

    def _clear_the_way(self, migration: Migration, *, backwards: bool) -> None:
        concurrently = any(built(each, backwards=backwards) for each in migration.operations)
        with self._connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
            if concurrently:
                cursor.execute("SET lock_timeout = %s", [CONCURRENTLY_WAITS])
        for sentence in drop_invalid(self._connection, migration, backwards=backwards):
            self.stderr.write(sentence)

    def _until_it_is_let(self, *args: Any, **options: Any) -> None:
        pause = PAUSE
        for attempt in range(1, options["attempts"] + 1):
            self._migration = None
            with self._watch() as watch:
                try:
                    super().handle(*args, **options)
                    return
                except DatabaseError as error:
                    if _sqlstate(error) not in REFUSALS or self._connection.in_atomic_block:
                        raise
                    refusal = error
            told = self._told(refusal, watch.seen if watch else None)
            if attempt == options["attempts"]:
                self._leave_nothing_invalid()
                raise CommandError(
                    f"{told} Given up after {attempt} attempts: the schema is as it was before "
                    "that migration. Run it again later.",
                    returncode=EX_TEMPFAIL,
                )
            seconds = pause * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
            self.stderr.write(f"\n{told} Again in {seconds:.1f} s.")
            Event().wait(seconds)
            pause = min(pause * 2, LONGEST)
            self._connection.close_if_unusable_or_obsolete()
            take(self._connection, self._wait)

    def _watch(self) -> Any:
        """Of the session that migrates; none where its process cannot be told."""
        if self._connection.in_atomic_block:
            return nullcontext()
        parameters = {
            name: value
            for name, value in self._connection.get_connection_params().items()
            if name not in ("cursor_factory", "context", "prepare_threshold")
        }
        return Watch(parameters, self._connection.connection.info.backend_pid)

    def _told(self, error: DatabaseError, seen: str | None) -> str:
        name = str(self._migration) if self._migration else "What follows the migrations"
        reason = str(error).strip().partition("\n")[0]
        return f"{name}: {reason}; {seen or 'who held it was not seen'}."

    def _leave_nothing_invalid(self) -> None:
        """An index that is invalid is written by every change of its table, and read by nobody."""
        if self._migration is None:
            return
        try:
            self._clear_the_way(self._migration, backwards=False)
        except DatabaseError:
            self.stderr.write("An invalid index may be left; the next run drops it.")


def _sqlstate(error: BaseException) -> str | None:
    return getattr(error.__cause__, "sqlstate", None)
