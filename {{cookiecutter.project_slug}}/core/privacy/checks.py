"""`manage.py check` refuses a column that nobody has classified."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, register

from core.privacy.columns import problems


@register()
def every_column_is_classified(**_: Any) -> list[CheckMessage]:
    hint = "docs/operations/masked-copies.md"
    return [Error(problem, hint=hint, id="core_privacy.E001") for problem in problems()]
