from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from apps.users.models import User
from core.lists.pagination import KeysetPagination

MOMENT_FIRST = '[">","newest","2026-01-01T00:00:00+00:00",%s]'


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
        encoded("[" * 5000),
        encoded("{}"),
        encoded('"four"'),
        encoded(MOMENT_FIRST % "1, 2"),
        encoded(MOMENT_FIRST % "-1"),
        encoded(MOMENT_FIRST % "1.0"),
        encoded(MOMENT_FIRST % "true"),
        encoded(MOMENT_FIRST % "9223372036854775808"),
        encoded((MOMENT_FIRST % "1").replace(">", "=")),
        encoded((MOMENT_FIRST % "1").replace('">"', "[]")),
        encoded((MOMENT_FIRST % "1").replace("newest", "oldest")),
        encoded((MOMENT_FIRST % "1").replace("01-01", "13-01")),
        encoded((MOMENT_FIRST % "1").replace("+00:00", "")),
        encoded((MOMENT_FIRST % "1").replace("+00:00", "+20:00")),
        encoded('[">","newest",1,1]'),
        encoded('[">","newest",null,1]'),
    ],
)
def test_a_cursor_that_is_not_ours_is_refused(cursor: str) -> None:
    with pytest.raises(ParseError) as refused:
        page(cursor=cursor)
    assert refused.value.get_codes() == "invalid_cursor"


@pytest.mark.parametrize(
    ("ordering", "value"),
    [
        ("id", '"1"'),
        ("id", "1.5"),
        ("id", "true"),
        ("id", str(2**63)),
        ("email", "1"),
        ("email", "null"),
        ("email", r'"\u0000"'),
    ],
)
def test_a_value_of_another_type_than_its_field_is_refused(ordering: str, value: str) -> None:
    class View(APIView):
        orderings = {ordering: ordering}

    request = Request(
        APIRequestFactory().get("/", {"cursor": encoded(f'[">","{ordering}",{value},1]')})
    )
    with pytest.raises(ParseError) as refused:
        KeysetPagination().paginate_queryset(User.objects.all(), request, View())
    assert refused.value.get_codes() == "invalid_cursor"


@pytest.mark.parametrize("field", ["last_login", "is_staff"])
def test_an_ordering_that_no_cursor_can_carry_is_a_mistake_of_ours(field: str) -> None:
    class View(APIView):
        orderings = {"wrong": field}

    with pytest.raises(ImproperlyConfigured, match=field):
        KeysetPagination().paginate_queryset(
            User.objects.all(), Request(APIRequestFactory().get("/")), View()
        )


@pytest.mark.parametrize("size", ["0", "-1", "abc", "", "1.5", "\u0661", "1_0", " 1"])
def test_a_page_size_that_is_no_number_above_zero_is_refused(size: str) -> None:
    with pytest.raises(ParseError) as refused:
        page(page_size=size)
    assert refused.value.get_codes() == "invalid_page_size"


@pytest.mark.parametrize(
    ("asked", "given"),
    [("1", 1), ("007", 7), ("100", 100), ("101", 100), ("1" + "0" * 20, 100), ("9" * 5000, 100)],
)
def test_a_page_holds_a_hundred_rows_at_most(asked: str, given: int) -> None:
    request = Request(APIRequestFactory().get("/things/", {"page_size": asked}))
    assert KeysetPagination().get_page_size(request) == given
