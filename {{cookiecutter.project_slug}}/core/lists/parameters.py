"""Query parameters by allow-list: what a list is filtered by, and which names exist at all.

A misspelt filter that is ignored answers with everything; here it is a 400 that names what exists.
Weighed: django-filter 26.2 ignores what it does not know, and brings forms beside the serializers.

    class ArticleFilters(Filters):
        min_length = serializers.IntegerField(source="length__gte", min_value=0)

    class ArticleList(generics.ListAPIView[Article]):
        filters = ArticleFilters                                   # `source` is Django's lookup
        orderings = {"newest": "-created_at", "length": "length"}  # core/lists/pagination.py
        expandable = ("author",)                                   # core/lists/expand.py
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request
from rest_framework.views import APIView

from core.lists.expand import check_expand, expandable
from core.problems.exceptions import InvalidParametersError


class Filters(serializers.Serializer[dict[str, Any]]):
    """The filters of a list, none of them required; all that are given must hold."""

    def get_fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = super().get_fields()
        for field in fields.values():
            field.required = False
        return fields


class AllowedParameters(BaseFilterBackend):
    """The one of DRF's DEFAULT_FILTER_BACKENDS: checks every parameter, then filters a list.

    Raises `InvalidParametersError` (400) for a parameter that the view does not know or that stands
    there twice, and for a value that its filter or `expand` refuses. A method of a view that
    answers without `filter_queryset`, such as one that creates, is not checked.
    """

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: APIView
    ) -> QuerySet[Any]:
        """`queryset`, with the filters that were asked for."""
        filters = list_filters(view)
        allowed = {*expandable(view), *(filters.fields if filters else ()), *_paging(view)}
        errors = {
            name: [f"There is no such parameter here; there are: {', '.join(sorted(allowed))}."]
            if name not in allowed
            else ["It stands there twice."]
            for name, values in request.query_params.lists()
            if name not in allowed or len(values) > 1
        }
        if errors:
            raise InvalidParametersError(errors, code="unknown_or_repeated")
        check_expand(request, view)
        if filters is None:
            return queryset
        # As a plain dictionary: DRF takes a flag that is missing in a QueryDict for an unset one.
        given = type(filters)(data=request.query_params.dict())
        if not given.is_valid():
            raise InvalidParametersError(given.errors)
        return queryset.filter(**given.validated_data)

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """None: `core.lists.schema` documents them, of objects too."""
        return []


def list_filters(view: APIView) -> Filters | None:
    """The filters that `view` declares, when it answers with a list."""
    filters: type[Filters] | None = getattr(view, "filters", None)
    return filters() if filters and _is_list(view) else None


def _is_list(view: APIView) -> bool:
    action = getattr(view, "action", None)
    return hasattr(view, "list") if action is None else action == "list"


def _paging(view: APIView) -> list[str]:
    paginator = getattr(view, "paginator", None)
    if paginator is None or not _is_list(view):
        return []
    return [each["name"] for each in paginator.get_schema_operation_parameters(view)]
