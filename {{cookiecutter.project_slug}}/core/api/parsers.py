"""JSON bodies, with the limits that DRF's parser leaves to luck."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import isinf
from typing import IO, Any, cast

from django.conf import settings
from django.http import UnreadablePostError
from rest_framework import parsers
from rest_framework.exceptions import ParseError
from rest_framework.utils import json

from core.problems.exceptions import PayloadTooLarge

# An escape of which Python makes half of a character when the other half does not follow.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class JSONParser(parsers.JSONParser):
    """DRF's parser, which answers 500 to a body nested 100,000 deep and passes NUL on.

    Raises `ParseError` (400) for what is not JSON in UTF-8, is nested deeper than Python recurses,
    holds a number that is infinite in Python (`1e400`, on which a primary key's field fails), or
    what PostgreSQL stores neither as text nor as jsonb: a NUL, half of a surrogate pair;
    `PayloadTooLarge` (413) beyond DATA_UPLOAD_MAX_MEMORY_SIZE, which Django checks for forms only.
    """

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        limit = cast("int | None", settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        try:
            # One more than allowed, so that a length that lies is noticed.
            body = stream.read(-1 if limit is None else limit + 1)
        except UnreadablePostError:
            raise ParseError("The body ended before its length was reached.") from None
        if limit is not None and len(body) > limit:
            raise PayloadTooLarge
        try:
            data = json.loads(body.decode("utf-8"), parse_float=_finite)
        except ValueError as error:
            raise ParseError(f"The body is not JSON: {error}") from None
        except RecursionError:
            raise ParseError("The body is nested too deeply.") from None
        if b"\\u0000" in body and any("\0" in text for text in _texts(data)):
            raise ParseError("The body holds a NUL character.")
        if _SURROGATE.search(body) and not all(map(_is_text, _texts(data))):
            raise ParseError("The body holds half of a surrogate pair.")
        return data


def _finite(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise ValueError("a number is out of range")
    return number


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _texts(data: Any) -> Iterator[str]:
    waiting = [data]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            waiting += item
