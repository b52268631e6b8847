"""Pages by keyset: newest first, each page as fast as the first one, no COUNT(*)."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Model, Q, QuerySet
from rest_framework import pagination
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

if TYPE_CHECKING:
    from rest_framework.views import APIView

_CURSOR = re.compile(
    r"(?P<way>[<>])(?P<created_at>[0-9T:.+-]{19,32}) (?P<id>[0-9]{1,18})", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Position:
    """Between two rows: older than this one, or newer when `backwards`."""

    backwards: bool
    created_at: datetime
    id: int


class KeysetPagination(pagination.CursorPagination):
    """Pages over `(created_at, id)`, descending; a view's model has both, and an index on them.

    Only the schema and the shape of the answer are DRF's. Its own cursor compares the first field
    alone and counts an offset among equals: rows of one transaction share their `created_at`, and
    more than 1,000 of them make it repeat a page for ever; a cursor that does not parse is a 500
    or is ignored. Here a malformed one is refused with 400.
    """

    ordering = ("-created_at", "-id")
    page_size = 25
    page_size_query_param = "page_size"
    # Rows; a client that asks for more gets this many.
    max_page_size = 100

    def paginate_queryset(  # type: ignore[override]  # no plain list: it has no keys to seek
        self, queryset: QuerySet[Any], request: Request, view: APIView | None = None
    ) -> list[Any]:
        """The rows of the page. Raises `ParseError` for a bad cursor or page size."""
        self._url = request.build_absolute_uri()
        size = self.get_page_size(request)
        at = self._position(request)
        backwards = at is not None and at.backwards
        if at is not None:
            queryset = queryset.filter(_beyond(at))
        ordering = ("created_at", "id") if backwards else self.ordering
        rows = list(queryset.order_by(*ordering)[: size + 1])
        more = len(rows) > size
        page = rows[:size][:: -1 if backwards else 1]

        # Where the cursor came from there is another page; ahead only if a row was left over.
        older, newer = (True, more) if backwards else (more, at is not None)
        self._next = self._link(page[-1] if page else at, backwards=False) if older else None
        self._previous = self._link(page[0] if page else at, backwards=True) if newer else None
        return page

    def get_page_size(self, request: Request) -> int:
        """Rows of a page, at most `max_page_size`. Raises `ParseError` unless a number above 0."""
        text = request.query_params.get(self.page_size_query_param, str(self.page_size))
        if not re.fullmatch(r"0*[1-9][0-9]{0,17}", text, re.ASCII):
            raise ParseError("page_size is not a whole number above 0.", code="invalid_page_size")
        return min(int(text), self.max_page_size)

    def get_next_link(self) -> str | None:
        return self._next

    def get_previous_link(self) -> str | None:
        return self._previous

    def _position(self, request: Request) -> Position | None:
        text = request.query_params.get(self.cursor_query_param)
        if text is None:
            return None
        try:
            found = _CURSOR.fullmatch(urlsafe_b64decode(text.encode("ascii")).decode("ascii"))
            if found is None:
                raise ValueError(text)
            created_at = datetime.fromisoformat(found["created_at"])
            # Ours are in UTC; PostgreSQL refuses offsets that Python can read.
            if created_at.utcoffset() != timedelta(0):
                raise ValueError(text)
        except ValueError:
            raise ParseError(
                "The cursor is not valid: follow `next` and `previous` as they are.",
                code="invalid_cursor",
            ) from None
        return Position(found["way"] == "<", created_at, int(found["id"]))

    def _link(self, row: Model | Position | None, *, backwards: bool) -> str:
        way = "<" if backwards else ">"
        text = f"{way}{row.created_at.isoformat()} {row.id}"  # type: ignore[union-attr]
        cursor = urlsafe_b64encode(text.encode("ascii")).decode("ascii")
        return replace_query_param(self._url, self.cursor_query_param, cursor)


def _beyond(at: Position) -> Q:
    # The first half bounds the index scan; the second breaks ties.
    if at.backwards:
        return Q(created_at__gte=at.created_at) & (
            Q(created_at__gt=at.created_at) | Q(id__gt=at.id)
        )
    return Q(created_at__lte=at.created_at) & (Q(created_at__lt=at.created_at) | Q(id__lt=at.id))
