from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any

import pytest
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from apps.users.models import User
from core.api.pagination import KeysetPagination


def page(**query: str) -> Any:
    request = Request(APIRequestFactory().get("/things/", query))
    return KeysetPagination().paginate_queryset(User.objects.all(), request)


def encoded(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "%%%",
        "p=abc",
        "ü",
        "cD0A",
        encoded("p=\0"),
        encoded(""),
        encoded(">2026-01-01T00:00:00+00:00"),
        encoded(">2026-01-01T00:00:00 1"),
        encoded(">2026-01-01T00:00:00+00:00 -1"),
        encoded(">2026-01-01T00:00:00+00:00 " + "9" * 30),
        encoded(">2026-13-01T00:00:00+00:00 1"),
        encoded(">2026-01-01T00:00:00+20:00 1"),
        encoded(">2026-01-01T00:00:00+01:02:03.5 1"),
        encoded("=2026-01-01T00:00:00+00:00 1"),
        encoded(">2026-01-01T00:00:00+00:00 1\n"),
        encoded("['>', 1]"),
    ],
)
def test_a_cursor_that_is_not_ours_is_refused(cursor: str) -> None:
    with pytest.raises(ParseError) as refused:
        page(cursor=cursor)
    assert refused.value.get_codes() == "invalid_cursor"


@pytest.mark.parametrize("size", ["0", "-1", "abc", "", "1.5", "\u0661", "1_0", " 1", "9" * 5000])
def test_a_page_size_that_is_no_number_above_zero_is_refused(size: str) -> None:
    with pytest.raises(ParseError) as refused:
        page(page_size=size)
    assert refused.value.get_codes() == "invalid_page_size"


@pytest.mark.parametrize(
    ("asked", "given"), [("1", 1), ("100", 100), ("101", 100), ("1000000000", 100)]
)
def test_a_page_holds_a_hundred_rows_at_most(asked: str, given: int) -> None:
    request = Request(APIRequestFactory().get("/things/", {"page_size": asked}))
    assert KeysetPagination().get_page_size(request) == given
