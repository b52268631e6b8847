"""Filters, orderings and expansion by allow-list, through the whole stack."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from apps.users.models import User
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.testapp.lists")]
URL = "/api/test/users/"
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def refused(client: Client, path: str) -> dict[str, Any]:
    """The one error of a 400."""
    response = client.get(path)
    assert response.status_code == 400, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == "invalid_parameters"
    [error] = response.json()["errors"]
    return dict(error)


def ids(client: Client, query: str = "") -> list[int]:
    response = client.get(URL + query)
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["results"]]


def test_a_misspelt_filter_is_refused_by_name_with_those_that_exist(client: Client) -> None:
    assert refused(client, f"{URL}?nmae=Ada") == {
        "parameter": "nmae",
        "code": "unknown_or_repeated",
        "detail": "There is no such parameter here; there are: "
        "after, cursor, expand, least, name, ordering, page_size, staff.",
    }


def test_an_object_has_no_parameters_of_its_list(client: Client) -> None:
    user = UserFactory.create()
    for name in ("name", "page_size", "cursor", "ordering"):
        assert refused(client, f"{URL}{user.pk}/?{name}=1")["parameter"] == name
    assert client.get(f"{URL}{user.pk}/?expand=itself").status_code == 200


def test_the_document_says_what_page_size_and_expand_may_be() -> None:
    document = SchemaGenerator(urlconf="tests.testapp.lists").get_schema(request=None, public=True)
    parameters = {each["name"]: each for each in document["paths"][URL]["get"]["parameters"]}
    assert parameters["page_size"]["schema"] == {"type": "integer", "minimum": 1}
    expand = parameters["expand"]
    assert (expand["style"], expand["explode"]) == ("form", False)
    assert expand["schema"] == {
        "type": "array",
        "items": {"type": "string", "enum": ["itself"]},
        "minItems": 1,
    }


@pytest.mark.parametrize(
    "query", ["?name=Ada&name=Grace", "?cursor=a&cursor=a", "?expand=itself&expand=itself"]
)
def test_a_parameter_that_stands_there_twice_is_refused(client: Client, query: str) -> None:
    error = refused(client, URL + query)
    assert (error["parameter"], error["detail"]) == (
        query[1:].split("=")[0],
        "It stands there twice.",
    )


def test_a_name_that_is_no_name_is_refused_as_it_was_sent(client: Client) -> None:
    assert refused(client, f"{URL}?a%2Fb~c=1")["parameter"] == "a/b~c"


@pytest.mark.parametrize(
    "query", ["?least=x", "?least=", "?name=", "?after=yesterday", "?staff=maybe"]
)
def test_a_value_that_its_filter_cannot_read_is_refused(client: Client, query: str) -> None:
    assert refused(client, URL + query)["parameter"] == query[1:].split("=")[0]


def test_all_filters_that_are_given_hold_and_no_other(client: Client) -> None:
    ada = UserFactory.create(name="Ada", is_staff=True)
    adam = UserFactory.create(name="Adam")
    grace = UserFactory.create(name="Grace", is_staff=True)
    assert ids(client, "?name=Ada&ordering=id") == [ada.pk, adam.pk]
    assert ids(client, "?name=Ada&staff=true") == [ada.pk]
    assert ids(client, f"?least={grace.pk}") == [grace.pk]
    assert ids(client, f"?least={10**30}") == []


def test_an_unknown_ordering_is_refused_with_those_that_exist(client: Client) -> None:
    error = refused(client, f"{URL}?ordering=password")
    assert (error["parameter"], error["code"]) == ("ordering", "unknown_ordering")
    assert "newest, oldest, email, -name, id." in error["detail"]


@pytest.mark.parametrize(
    ("ordering", "order_by"),
    [
        ("newest", ["-created_at", "-id"]),
        ("oldest", ["created_at", "id"]),
        ("email", ["email", "id"]),
        ("-name", ["-name", "-id"]),
        ("id", ["id"]),
    ],
)
def test_every_row_stands_on_one_page_in_every_ordering_and_direction(
    client: Client, ordering: str, order_by: list[str]
) -> None:
    for n in range(17):
        UserFactory.create(name=f'"{n % 3} ü', created_at=MOMENT + timedelta(hours=n % 4))
    expected = list(User.objects.order_by(*order_by).values_list("pk", flat=True))

    def follow(url: str | None, link: str) -> tuple[list[list[int]], str]:
        pages, last = [], ""
        while url:
            assert len(pages) < 10, "pages without end"
            page, last = client.get(url).json(), url
            pages.append([row["id"] for row in page["results"]])
            url = page[link]
        return pages, last

    forwards, last = follow(f"{URL}?ordering={ordering}&page_size=4", "next")
    backwards, _ = follow(last, "previous")
    assert list(chain(*forwards)) == expected
    assert backwards == forwards[::-1]


def test_a_cursor_of_another_ordering_is_refused(client: Client) -> None:
    UserFactory.create_batch(3)
    following = client.get(f"{URL}?ordering=oldest&page_size=2").json()["next"]
    [cursor] = parse_qs(urlsplit(following).query)["cursor"]
    for query in (f"?cursor={cursor}", f"?cursor={cursor}&ordering=email"):
        response = client.get(URL + query)
        assert (response.status_code, response.json()["code"]) == (400, "invalid_cursor")
        assert "another ordering" in response.json()["detail"]
    assert client.get(f"{URL}?cursor={cursor}&ordering=oldest").status_code == 200


def test_a_related_object_is_an_id_unless_it_is_expanded(client: Client) -> None:
    user = UserFactory.create(name="Ada")
    assert client.get(f"{URL}{user.pk}/").json()["itself"] == user.pk
    assert client.get(f"{URL}{user.pk}/?expand=itself").json()["itself"] == {"name": "Ada"}
    [row] = client.get(f"{URL}?expand=itself").json()["results"]
    assert row["itself"] == {"name": "Ada"}


@pytest.mark.parametrize("asked", ["password", "itself,password", "itself.itself", "itself,", ""])
def test_what_may_not_be_expanded_is_refused(client: Client, asked: str) -> None:
    error = refused(client, f"{URL}?expand={asked}")
    assert (error["parameter"], error["code"]) == ("expand", "unknown_expand")
    assert "these are: itself." in error["detail"]
