"""What a piece of code asks of the database: counted, and told by shape and by the line of ours.

Weighed: pytest-django's `django_assert_max_num_queries` prints every query of an N+1 in full, and
none of the lines that sent them; django-perf-rec (in maintenance since 2025-08) keeps the shapes of
every query beside each test, so that a filter added is a file to accept; pytest-django-queries
reports what was counted and fails nothing. None of them knows which operations have no test.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import pytest
from django.db import connections

ROOT = str(Path(__file__).resolve().parents[2])
# Frames that say nothing: the ORM, what wraps it, and the standard library.
_PLUMBING = re.compile(r"site-packages/(django/(db|utils)|zeal)/|^(?!.*site-packages)")
WIDTH = 160  # characters of a query that are printed


class Query(NamedTuple):
    """One statement without its values, and the line of the service it was sent by."""

    shape: str
    place: str


@contextmanager
def recorded() -> Iterator[list[Query]]:
    """Each statement of this thread, on any connection; a savepoint is a round trip, and counts."""
    queries: list[Query] = []

    def record(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        queries.append(Query(_shape(str(sql)), _place()))
        return execute(sql, params, many, context)

    with ExitStack() as wrappers:
        for connection in connections.all():
            wrappers.enter_context(connection.execute_wrapper(record))
        yield queries


@contextmanager
def max_queries(number: int) -> Iterator[None]:
    """Fail when the block sends more statements. Decorates a test as well: `@max_queries(3)`."""
    with recorded() as queries:
        yield
    if len(queries) > number:
        pytest.fail(f"{len(queries)} queries, of at most {number}:\n{told(queries)}", pytrace=False)


def told(queries: list[Query]) -> str:
    """Every shape once, numbered: how often it was sent, and from where."""
    lines = []
    for number, (query, times) in enumerate(Counter(queries).items(), 1):
        often = f"{times} x " if times > 1 else ""
        lines.append(f"{number:>3}. {often}{_short(query.shape)}\n       {query.place}")
    return "\n".join(lines)


def _shape(sql: str) -> str:
    sql = re.sub(r"\s+", " ", sql).strip().replace('"', "")
    # As many values as there are rows are one shape, and a savepoint's name is its number.
    sql = re.sub(r"(%s|\(%s\))(, ?\1)+", r"\1, ...", sql)
    sql = re.sub(r"(WHEN \S+ = %s THEN %s)( \1)+", r"\1 ...", sql)
    return re.sub(r"(SAVEPOINT) \S+", r"\1", sql)


def _short(shape: str) -> str:
    shape = re.sub(r"^SELECT [^()]+? FROM ", "SELECT ... FROM ", shape)
    return shape if len(shape) <= WIDTH else f"{shape[: WIDTH - 4]} ..."


def _place() -> str:
    """The innermost line of ours, and before it the line of the library that it called, if any."""
    frame = sys._getframe(2)
    library = ""
    # Out of this module and of the wrappers that every statement passes.
    while frame.f_back and _is_ours(frame):
        frame = frame.f_back
    while frame.f_back and not _is_ours(frame):
        if not library and not _PLUMBING.search(frame.f_code.co_filename):
            library = f"{_line(frame)}, called by "
        frame = frame.f_back
    return library + _line(frame)


def _is_ours(frame: FrameType) -> bool:
    filename = frame.f_code.co_filename
    return filename.startswith(ROOT) and "site-packages" not in filename


def _line(frame: FrameType) -> str:
    code = frame.f_code
    name = code.co_filename.removeprefix(ROOT + "/").rpartition("site-packages/")[2]
    return f"{name}:{frame.f_lineno} in {code.co_name}"
