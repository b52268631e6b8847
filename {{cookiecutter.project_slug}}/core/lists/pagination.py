"""Pages by keyset: each page as fast as the first one, in any allowed order, no COUNT(*)."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models import Q, QuerySet
from rest_framework import pagination
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from core.problems.exceptions import InvalidParametersError

if TYPE_CHECKING:
    from rest_framework.views import APIView

ORDERING = "ordering"
NEWEST = {"newest": "-created_at"}
_BIGGEST = 2**63 - 1  # PostgreSQL's bigint


@dataclass(frozen=True, slots=True)
class Ordering:
    """A field, with ties broken by id in the same direction; an index on both serves both ways."""

    name: str
    field: str
    descending: bool

    def columns(self, *, backwards: bool) -> list[str]:
        sign = "-" if self.descending != backwards else ""
        return [f"{sign}{self.field}", f"{sign}id"]

    def beyond(self, at: Position) -> Q:
        """The rows after `at`, or before it when it looks backwards."""
        step = "lt" if self.descending != at.backwards else "gt"
        # The first half bounds the index scan; the second breaks ties.
        return Q((f"{self.field}__{step}e", at.value)) & (
            Q((f"{self.field}__{step}", at.value)) | Q((f"id__{step}", at.id))
        )


@dataclass(frozen=True, slots=True)
class Position:
    """Next to the row that has this value of the ordering's field, and this id."""

    backwards: bool
    value: Any
    id: int


class KeysetPagination(pagination.CursorPagination):
    """Pages over `(field, id)`; `orderings` of the view says which, newest first without it.

    `orderings` maps the names of `?ordering=` to fields, with a hyphen where they descend; the
    first one is the default. A field is a moment, an integer or a text, never NULL, and has an
    index together with `id`.

    Only the schema and the shape of the answer are DRF's. Its own cursor compares the first field
    alone and counts an offset among equals: rows of one transaction share their `created_at`, and
    more than 1,000 of them make it repeat a page for ever; a cursor that does not parse is a 500
    or is ignored. Here a malformed one is refused with 400, and so is one of another ordering.
    """

    page_size = 25
    page_size_query_param = "page_size"
    page_size_query_description = "Rows of a page: 25, at most 100."
    cursor_query_description = "From `next` or `previous` of an answer, as it is."
    # Rows; a client that asks for more gets this many.
    max_page_size = 100

    def paginate_queryset(  # type: ignore[override]  # no plain list: it has no keys to seek
        self, queryset: QuerySet[Any], request: Request, view: APIView | None = None
    ) -> list[Any]:
        """The rows of the page. Raises `ParseError` for a bad cursor, page size or ordering."""
        self._url = request.build_absolute_uri()
        self._ordering = _ordering(request, view)
        size = self.get_page_size(request)
        at = self._position(request, _field(queryset.model, self._ordering))
        backwards = at is not None and at.backwards
        if at is not None:
            queryset = queryset.filter(self._ordering.beyond(at))
        columns = self._ordering.columns(backwards=backwards)
        rows = list(queryset.order_by(*columns)[: size + 1])
        more = len(rows) > size
        page = rows[:size][:: -1 if backwards else 1]

        # Where the cursor came from there is another page; ahead only if a row was left over.
        after, before = (True, more) if backwards else (more, at is not None)
        self._next = self._link(page[-1] if page else at, backwards=False) if after else None
        self._previous = self._link(page[0] if page else at, backwards=True) if before else None
        return page

    def get_page_size(self, request: Request) -> int:
        """Rows of a page, at most `max_page_size`. Raises `ParseError` unless a number above 0."""
        text = request.query_params.get(self.page_size_query_param, str(self.page_size))
        found = re.fullmatch(r"0*([1-9][0-9]*)", text, re.ASCII)
        if not found:
            raise ParseError("page_size is not a whole number above 0.", code="invalid_page_size")
        # Nine digits are more than any page; Python refuses to read some thousand.
        return min(int(found[1][:9]), self.max_page_size)

    def get_next_link(self) -> str | None:
        return self._next

    def get_previous_link(self) -> str | None:
        return self._previous

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """For the OpenAPI document, and for the check of unknown parameters."""
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            if parameter["name"] == self.page_size_query_param:
                parameter["schema"]["minimum"] = 1
        names = list(_orderings(view))
        schema = {"type": "string", "enum": names, "default": names[0]}
        return [*parameters, {"name": ORDERING, "required": False, "in": "query", "schema": schema}]

    def _position(self, request: Request, field: models.Field[Any, Any]) -> Position | None:
        text = request.query_params.get(self.cursor_query_param)
        if text is None:
            return None
        try:
            way, name, value, pk = orjson.loads(urlsafe_b64decode(text.encode("ascii")))
            if way not in ("<", ">") or type(pk) is not int or not 0 <= pk <= _BIGGEST:
                raise ValueError(text)
            if name != self._ordering.name:
                raise ParseError(
                    f"The cursor belongs to another ordering than {self._ordering.name}.",
                    code="invalid_cursor",
                )
            return Position(way == "<", _read(value, field), pk)
        except (ValueError, TypeError):
            raise ParseError(
                "The cursor is not valid: follow `next` and `previous` as they are.",
                code="invalid_cursor",
            ) from None

    def _link(self, row: models.Model | Position | None, *, backwards: bool) -> str:
        if isinstance(row, Position):
            value, pk = row.value, row.id
        else:
            value, pk = getattr(row, self._ordering.field), row.id  # type: ignore[union-attr]
        parts = ["<" if backwards else ">", self._ordering.name, value, pk]
        cursor = urlsafe_b64encode(orjson.dumps(parts)).decode("ascii")
        return replace_query_param(self._url, self.cursor_query_param, cursor)


def _orderings(view: APIView | None) -> dict[str, str]:
    return getattr(view, "orderings", NEWEST)


def _ordering(request: Request, view: APIView | None) -> Ordering:
    allowed = _orderings(view)
    name = request.query_params.get(ORDERING, next(iter(allowed)))
    if name not in allowed:
        raise InvalidParametersError(
            {ORDERING: [f"There is no such ordering; there are: {', '.join(allowed)}."]},
            code="unknown_ordering",
        )
    field = allowed[name]
    return Ordering(name, field.removeprefix("-"), field.startswith("-"))


def _field(model: type[models.Model], ordering: Ordering) -> models.Field[Any, Any]:
    field = model._meta.get_field(ordering.field)
    if not isinstance(field, models.DateTimeField | models.IntegerField | models.CharField):
        raise ImproperlyConfigured(f"Pages cannot be ordered by {field}: its type has no cursor.")
    if field.null:
        # Neither above nor below any value, rows with NULL would stand on no page.
        raise ImproperlyConfigured(f"Pages cannot be ordered by {field}, which may be NULL.")
    return field


def _read(value: Any, field: models.Field[Any, Any]) -> Any:
    """The value of a cursor as `field` has it. Raises `ValueError`, `TypeError`."""
    if isinstance(field, models.DateTimeField):
        moment = datetime.fromisoformat(value)
        # Ours are in UTC; PostgreSQL refuses offsets that Python can read.
        if moment.utcoffset() == timedelta(0):
            return moment
    elif isinstance(field, models.IntegerField):
        if type(value) is int and abs(value) <= _BIGGEST:
            return value
    elif isinstance(value, str) and "\0" not in value:
        return value
    raise ValueError(value)
