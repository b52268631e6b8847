"""`?expand=`: a related object in place of its id, where a view's allow-list permits it.

    class CommentSerializer(serializers.ModelSerializer[Comment]):
        author = Expandable(AuthorSerializer, path="comments.author")

    class ArticleList(generics.ListAPIView[Article]):
        expandable = ("comments.author",)

The view's queryset fetches what may be expanded: a list costs the same queries either way. Weighed:
drf-flex-fields expands whatever a serializer names, to any depth, one query a row.
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from core.problems.exceptions import InvalidParametersError

EXPAND = "expand"


class Expandable(serializers.PrimaryKeyRelatedField[Any]):
    """The id of a related object, or all of `serializer` where `path` is asked for."""

    def __init__(
        self, serializer: type[serializers.BaseSerializer[Any]], *, path: str, **options: Any
    ) -> None:
        self.serializer = serializer
        self.path = path
        super().__init__(read_only=True, **options)

    def use_pk_only_optimization(self) -> bool:
        return not self._is_expanded

    def to_representation(self, value: Any) -> Any:
        if self._is_expanded:
            return self.serializer(value, context=self.context).data
        return super().to_representation(value)

    @property
    def _is_expanded(self) -> bool:
        request = self.context.get("request")
        return request is not None and is_expanded(request, self.path)


def is_expanded(request: Request, path: str) -> bool:
    """Whether the caller asked for `path`; for a queryset that then fetches more."""
    return path in _asked(request)


def expandable(view: APIView) -> dict[str, tuple[str, ...]]:
    """The parameter and the paths it may name; empty where there are none."""
    paths: tuple[str, ...] = getattr(view, "expandable", ())
    return {EXPAND: paths} if paths else {}


def check_expand(request: Request, view: APIView) -> None:
    """Raise `InvalidParametersError` when something is asked for that `view` does not expand."""
    asked, paths = _asked(request), getattr(view, "expandable", ())
    if unknown := [path for path in asked if path not in paths]:
        raise InvalidParametersError(
            {EXPAND: [f"{unknown[0]} is not expanded here; these are: {', '.join(paths)}."]},
            code="unknown_expand",
        )


def _asked(request: Request) -> list[str]:
    text = request.query_params.get(EXPAND)
    return [] if text is None else text.split(",")
