from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from django.http import UnreadablePostError
from rest_framework.exceptions import ParseError

from core.api.parsers import JSONParser
from core.problems.exceptions import PayloadTooLarge


def parse(body: bytes) -> Any:
    return JSONParser().parse(BytesIO(body))


def test_a_json_body_is_read_as_it_was_sent() -> None:
    assert parse('{"name": "Zoë", "n": [1, 2.5, null]}'.encode()) == {
        "name": "Zoë",
        "n": [1, 2.5, None],
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1e400}',
        b'{"a": -1e400}',
        b'{"a": "\xff"}',
        b'{"a": "\x00"}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    ],
    ids=lambda body: repr(body[:12]),
)
def test_what_is_not_json_is_the_callers_error(body: bytes) -> None:
    with pytest.raises(ParseError):
        parse(body)


@pytest.mark.parametrize(
    "body", [rb'"\u0000"', rb'{"\u0000": 1}', rb'{"a": [1, {"b": "x\u0000y"}]}']
)
def test_a_nul_is_refused_wherever_it_hides(body: bytes) -> None:
    with pytest.raises(ParseError, match="NUL"):
        parse(body)


@pytest.mark.parametrize(
    "body", [rb'"\ud800"', rb'{"\uDFFF": 1}', rb'{"a": [1, {"b": "x\ud83d y"}]}']
)
def test_half_of_a_character_is_refused_wherever_it_hides(body: bytes) -> None:
    with pytest.raises(ParseError, match="surrogate"):
        parse(body)


def test_both_halves_of_a_character_are_accepted() -> None:
    assert parse(rb'"\ud83d\ude00"') == "\N{GRINNING FACE}"


def test_a_text_that_only_looks_like_an_escaped_nul_is_accepted() -> None:
    assert parse(rb'"\\u0000"') == r"\u0000"


def test_a_body_over_the_limit_is_too_large_and_one_at_the_limit_is_not(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    assert parse(b'"12345678"') == "12345678"
    with pytest.raises(PayloadTooLarge):
        parse(b'"123456789"')


def test_the_limit_can_be_lifted(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = None
    assert parse(b"[]") == []


class BrokenStream(BytesIO):
    """What a client leaves behind that goes away in the middle of its body."""

    def read(self, *_: Any) -> bytes:
        raise UnreadablePostError("client disconnected")


def test_a_body_that_ends_too_early_is_the_callers_error() -> None:
    with pytest.raises(ParseError, match="ended before"):
        JSONParser().parse(BrokenStream())
