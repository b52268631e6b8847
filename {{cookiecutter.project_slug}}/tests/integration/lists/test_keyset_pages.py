"""Keyset pages over users, the one table of the service that is no example."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from apps.users.models import User
from core.lists.pagination import KeysetPagination
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


class Page:
    """One answer: the ids of its rows and the links around it."""

    def __init__(self, url: str = "/users/?page_size=7") -> None:
        parts = urlsplit(url)
        request = Request(APIRequestFactory().get(parts.path, dict(parse_qsl(parts.query))))
        paginator = KeysetPagination()
        self.ids = [user.pk for user in paginator.paginate_queryset(User.objects.all(), request)]
        self.next = paginator.get_next_link()
        self.previous = paginator.get_previous_link()


def create(count: int, *, apart: timedelta = timedelta(0)) -> list[int]:
    """The ids of `count` users, newest first; without a distance all of one moment."""
    users = [UserFactory.create(created_at=MOMENT + n * apart) for n in range(count)]
    return [user.pk for user in reversed(users)]


@pytest.mark.parametrize("apart", [timedelta(0), timedelta(microseconds=1)], ids=["equal", "apart"])
@pytest.mark.parametrize("count", [0, 1, 7, 8, 30])
def test_every_row_stands_on_one_page_forwards_and_backwards(count: int, apart: timedelta) -> None:
    newest_first = create(count, apart=apart)
    page = Page()
    assert page.previous is None
    forwards = [page.ids]
    while page.next:
        page = Page(page.next)
        forwards.append(page.ids)
        assert len(forwards) <= 1 + count / 7, "pages without end"
    assert list(chain(*forwards)) == newest_first

    backwards = [page.ids]
    while page.previous:
        page = Page(page.previous)
        backwards.insert(0, page.ids)
        assert len(backwards) <= len(forwards), "pages without end"
    assert backwards == forwards


def test_a_row_that_arrives_meanwhile_moves_no_other() -> None:
    newest_first = create(14)
    first = Page()
    UserFactory.create(created_at=MOMENT + timedelta(days=1))
    assert first.next
    assert Page(first.next).ids == newest_first[7:]


def test_a_page_whose_rows_were_deleted_is_empty_and_leads_back() -> None:
    create(8)
    first = Page()
    User.objects.exclude(pk__in=first.ids).delete()
    assert first.next
    empty = Page(first.next)
    assert (empty.ids, empty.next) == ([], None)
    assert empty.previous
    # The row the cursor stands on is not beyond itself: the page before ends above it.
    assert Page(empty.previous).ids == first.ids[:-1]


def test_a_page_is_one_query_and_counts_nothing(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    create(8)
    with django_assert_num_queries(1) as captured:
        page = Page()
    assert page.next
    assert "COUNT" not in captured.captured_queries[0]["sql"]
    with django_assert_num_queries(1):
        Page(page.next)


def test_other_parameters_stay_in_the_links() -> None:
    create(8)
    page = Page("/users/?page_size=7&active=yes")
    assert page.next
    query: dict[str, Any] = dict(parse_qsl(urlsplit(page.next).query))
    assert (query["active"], query["page_size"]) == ("yes", "7")
