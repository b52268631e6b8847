"""Query parameters in the OpenAPI document: the same allow-lists that requests are checked by."""

from __future__ import annotations

from typing import Any

from drf_spectacular import openapi
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.utils import OpenApiParameter

from core.lists.expand import expandable
from core.lists.parameters import list_filters


class Schema(openapi.AutoSchema):
    """DRF's DEFAULT_SCHEMA_CLASS: drf-spectacular's, with `filters` and `expandable` of views."""

    def get_override_parameters(self) -> list[Any]:
        parameters: list[Any] = [*super().get_override_parameters()]
        if self.method != "GET":
            return parameters
        if filters := list_filters(self.view):
            parameters.append(filters)
        for name, paths in expandable(self.view).items():
            path = {"type": "string", "enum": [*paths]}
            several = {"type": "array", "items": path, "minItems": 1}
            # Separated by commas.
            parameters.append(OpenApiParameter(name, several, style="form", explode=False))
        return parameters


class ExpandableExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """An id, or the object where it is expanded."""

    target_class = "core.lists.expand.Expandable"

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        expanded = auto_schema.resolve_serializer(self.target.serializer, direction)
        return {"oneOf": [{"type": "integer"}, expanded.ref], "readOnly": True}
