"""Run migrations on an empty database and keep each statement, with the operation it came from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import NotSupportedError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.transaction import atomic
from psycopg.errors import ActiveSqlTransaction

from scripts.migration_lint import proofs

type Key = tuple[str, str]


@dataclass(frozen=True)
class Statement:
    operation: int
    sql: str


@dataclass
class Replayed:
    """A migration that ran, or failed in the operation `failed_in`."""

    migration: Migration
    atomic: bool
    statements: list[Statement] = field(default_factory=list)
    # Before each operation.
    states: list[ProjectState] = field(default_factory=list)
    # (operation, rule) of what the database showed to be no danger.
    harmless: set[tuple[int, str]] = field(default_factory=set)
    # The operation with CONCURRENTLY, where the migration has a transaction.
    concurrently: int | None = None
    failed_in: int | None = None
    failure: str = ""


def replay(
    loader: MigrationLoader, connection: BaseDatabaseWrapper, judged: Collection[Key]
) -> Iterator[Replayed]:
    """Apply every migration of `loader`, and yield those of `judged`.

    Ends with the first that fails, whosever it is, because the later ones build on it.
    """
    state = ProjectState(real_apps=loader.unmigrated_apps)
    for key in _plan(loader):
        migration = loader.graph.nodes[key]
        before = state.clone()
        done = _apply(migration, state, connection, in_transaction=migration.atomic)
        if done.concurrently is not None:
            # Once more without the transaction, so that the rest of it is judged too.
            state, place = before, done.concurrently
            migration.atomic = False
            done = _apply(migration, state, connection, in_transaction=False)
            if done.failed_in != place:  # else it was not the transaction
                done.concurrently = place
        if key in judged:
            yield done
        elif done.failure:
            yield Replayed(migration, done.atomic, failed_in=done.failed_in, failure=done.failure)
        if done.failure:
            return


def _plan(loader: MigrationLoader) -> list[Key]:
    keys: dict[Key, None] = {}
    for leaf in sorted(loader.graph.leaf_nodes()):
        keys |= dict.fromkeys(loader.graph.forwards_plan(leaf))
    return list(keys)


def _apply(
    migration: Migration,
    state: ProjectState,
    connection: BaseDatabaseWrapper,
    *,
    in_transaction: bool,
) -> Replayed:
    """As `Migration.apply`, one operation after the other; `state` moves on."""
    done = Replayed(migration, atomic=in_transaction)
    try:
        with connection.schema_editor(atomic=in_transaction) as editor:
            deferred = _record(editor, done)
            for number, operation in enumerate(migration.operations):
                before = state.clone()
                done.states.append(before)
                operation.state_forwards(migration.app_label, state)
                with proofs.observed(connection, operation, migration.app_label, before) as proved:
                    _run(operation, migration, editor, before, state)
                done.harmless |= {(number, rule) for rule in proved}
                deferred(number)
    except Exception as error:  # whatever a migration raises is what is wrong with it
        at = len(done.states) - 1
        if in_transaction and _wants_no_transaction(error):
            done.concurrently = at
        else:
            done.failed_in = at
            done.failure = " ".join(f"{type(error).__name__}: {error}".split())
    return done


def _run(
    operation: Operation,
    migration: Migration,
    editor: BaseDatabaseSchemaEditor,
    before: ProjectState,
    after: ProjectState,
) -> None:
    arguments = (migration.app_label, editor, before, after)
    if operation.atomic and not migration.atomic:
        with atomic(editor.connection.alias):
            operation.database_forwards(*arguments)
    else:
        operation.database_forwards(*arguments)


def _record(editor: BaseDatabaseSchemaEditor, done: Replayed) -> Callable[[int], None]:
    """Keep what `editor` executes. Returns what to call with the number of a finished operation:

    statements that it left for the end of the migration (indexes, foreign keys) stay its own.
    """
    execute = editor.execute
    origins: dict[int, tuple[object, int]] = {}  # the statement too, so that its id stays taken

    def recorded(sql: Any, params: Any = ()) -> None:
        _, number = origins.get(id(sql), (None, len(done.states) - 1))
        text = str(sql)
        if params is not None:
            text %= tuple(map(editor.quote_value, params))
        done.statements.append(Statement(number, text.rstrip().rstrip(";") + ";"))
        execute(sql, params)

    def deferred(number: int) -> None:
        for sql in editor.deferred_sql:
            origins.setdefault(id(sql), (sql, number))

    editor.execute = recorded  # type: ignore[method-assign]
    return deferred


def _wants_no_transaction(error: Exception) -> bool:
    return isinstance(error, NotSupportedError) or isinstance(error.__cause__, ActiveSqlTransaction)
