"""Cache-Control, ETag and 304, through the whole stack, with views of `tests/testapp`."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.test import AsyncClient, Client
from pytest_django import DjangoAssertNumQueries

from tests.factories import UserFactory

pytestmark = pytest.mark.urls("tests.testapp.caching")
SHARED = "public, max-age=60, stale-while-revalidate=600"


def cache_control(client: Client, path: str, **options: Any) -> str:
    return client.get(path, **options).headers["Cache-Control"]


def test_an_answer_that_says_nothing_is_kept_by_nobody(client: Client) -> None:
    assert cache_control(client, "/silent/") == "no-store"


@pytest.mark.parametrize("path", ["/public/", "/public/?do=moved", "/without-authentication/"])
def test_a_view_with_a_policy_is_public(client: Client, path: str) -> None:
    assert cache_control(client, path) == SHARED


@pytest.mark.parametrize("path", ["/public/?do=missing", "/public/?do=found"])
def test_a_policy_is_for_what_was_found(client: Client, path: str) -> None:
    assert cache_control(client, path) == "no-store"


def test_a_policy_is_for_reading(client: Client) -> None:
    assert client.post("/without-authentication/").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "/public/?do=session",
        "/public/?do=user",
        "/public/?do=cookie",
        "/by-django/?session",
        "/without-a-word/",
        "/by-class/",
    ],
)
def test_what_belongs_to_one_client_is_kept_by_nobody_whatever_the_view_says(
    client: Client, path: str
) -> None:
    assert cache_control(client, path) == "no-store"


@pytest.mark.parametrize("path", ["/public/", "/by-django/", "/without-authentication/"])
def test_an_answer_to_a_credential_is_kept_by_nobody(client: Client, path: str) -> None:
    headers = {"authorization": "Basic eDp5"}
    assert cache_control(client, path, headers=headers) == "no-store"
    assert cache_control(client, path) != "no-store"


def test_a_session_cookie_that_nobody_looks_at_takes_nothing_from_a_public_answer(
    client: Client,
) -> None:
    client.cookies["sessionid"] = "a" * 32
    response = client.get("/public/")
    assert response.headers["Cache-Control"] == SHARED
    assert "Cookie" not in response.headers.get("Vary", "")


def test_what_the_view_keeps_private_stays_as_it_says(client: Client) -> None:
    assert (
        cache_control(client, "/private/") == "max-age=60, private"
        or cache_control(client, "/private/") == "private, max-age=60"
    )


def test_an_answer_that_looked_at_the_session_varies_by_cookie(client: Client) -> None:
    assert client.get("/public/?do=session").headers["Vary"] == "Cookie"


@pytest.mark.parametrize("path", ["/silent/", "/public/", "/without-authentication/"])
def test_who_has_the_answer_is_told_so_without_a_body(client: Client, path: str) -> None:
    first = client.get(path)
    etag = first.headers["ETag"]
    assert etag.startswith('"')
    for held in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = client.get(path, headers={"if-none-match": held})
        assert (again.status_code, again.content) == (304, b""), held
        for name in ("Cache-Control", "ETag", "Vary"):
            assert again.headers.get(name) == first.headers.get(name), name
        assert not {"Content-Type", "Content-Length"} & set(again.headers)
        assert again.headers["X-Request-ID"] != first.headers["X-Request-ID"]
    assert client.get(path, headers={"if-none-match": '"other"'}).status_code == 200


def test_head_has_the_etag_of_get(client: Client) -> None:
    etag = client.get("/silent/").headers["ETag"]
    assert client.head("/silent/").headers["ETag"] == etag
    assert client.head("/silent/", headers={"if-none-match": etag}).status_code == 304


def test_another_body_has_another_etag(client: Client) -> None:
    assert client.get("/silent/").headers["ETag"] != client.get("/by-class/").headers["ETag"]


def test_a_validator_of_the_view_is_kept_and_stays_weak(client: Client) -> None:
    response = client.get("/versioned/")
    assert response.headers["ETag"] == 'W/"version-7"'
    again = client.get("/versioned/", headers={"if-none-match": 'W/"version-7"'})
    assert (again.status_code, again.headers["Cache-Control"]) == (304, "no-store")


@pytest.mark.parametrize("path", ["/public/?do=stream", "/public/?do=missing"])
def test_a_stream_and_an_error_have_no_etag(client: Client, path: str) -> None:
    assert "ETag" not in client.get(path).headers


def test_a_change_has_no_etag_and_is_not_compared(client: Client) -> None:
    response = client.post("/without-authentication/", headers={"if-none-match": "*"})
    assert (response.status_code, "ETag" in response.headers) == (200, False)


@pytest.mark.django_db
def test_no_query_and_no_look_into_the_session_is_caused(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(UserFactory.create())
    with django_assert_num_queries(0):
        response = client.get("/public/")
        again = client.get("/public/", headers={"if-none-match": response.headers["ETag"]})
    assert (response.headers["Cache-Control"], again.status_code) == (SHARED, 304)


def test_under_asgi_it_does_the_same() -> None:
    async def ask() -> tuple[Any, Any]:
        client = AsyncClient()
        first = await client.get("/public/")
        held = {"if-none-match": first.headers["ETag"]}
        return first, await client.get("/public/", headers=held)

    first, again = asyncio.run(ask())
    assert (first.headers["Cache-Control"], again.status_code) == (SHARED, 304)
