"""Every URL pattern of the service, anonymous and logged in: no answer is kept by accident."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def _patterns(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for each in resolver.url_patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _patterns(each, route)
        else:
            yield route, each


def _path(route: str) -> str:
    """An address that matches: 1 for every argument, the first alternative of a group."""
    route = re.sub(r"<[^>]+>", "1", re.sub(r"\(\?P<\w+>([^|)]*)[^)]*\)", r"\1", route))
    route = re.sub(r"[\^$]|\\Z|\.\*", "", route)
    return "/" + re.sub(r"//+", "/", route).lstrip("/")


ROUTES = [route for route, _ in _patterns(get_resolver())]
ELSEWHERE = [
    "/nothing/",
    "/admin/nothing/",
    "/api/v1/nothing/",
    "/api/docs",
    "/admin",
    "/api/docs/?%00",
    "/static/admin/css/base.css",
    "/static/nothing.css",
]


# Kept by caches that others share; an addition is a decision, and stands here.
PUBLIC = {
    "/static/admin/css/base.css",
    "/favicon.ico",
    "/favicon.svg",
    "/robots.txt",
    "/.well-known/security.txt",
}
PUBLIC |= {"/api/v1/products/", "/api/v1/products/1/"}  # example:shop

# Among others, so that the test is known to have met them.
EXPECTED = {
    "get": {200, 301, 302, 400, 404},
    "head": {200, 301, 302, 400, 404},
    "post": {200, 302, 400, 404, 405},
    "options": {200, 302, 400, 404, 405},
}


def _check(client: Client, path: str, method: str) -> int:
    response = getattr(client, method)(path)
    response.getvalue()  # read to its end, a file is closed
    where = (method, path, response.status_code, response.headers["Cache-Control"])
    kept = not re.search("no-store|private", response.headers["Cache-Control"])
    assert not kept or path in PUBLIC, where
    assert not (kept and (response.cookies or "Cookie" in response.headers.get("Vary", ""))), where
    if response.status_code == 200 and method in ("get", "head") and not response.streaming:
        assert response.headers["ETag"], where
    return int(response.status_code)


@pytest.mark.parametrize("method", ["get", "head", "post", "options"])
@pytest.mark.parametrize("logged_in", [False, True], ids=["anonymous", "logged in"])
def test_every_answer_says_who_may_keep_it(logged_in: bool, method: str) -> None:
    client = Client(raise_request_exception=False)
    user = UserFactory.create(is_staff=True, is_superuser=True)
    statuses = set()
    for path in [*map(_path, ROUTES), *ELSEWHERE]:
        if logged_in:
            client.force_login(user)  # each time: some address logs out
        statuses.add(_check(client, path, method))
    assert len(ROUTES) > 30
    assert statuses >= EXPECTED[method]
    assert max(statuses) < 500


def test_a_page_of_the_admin_is_there_without_its_content_type(client: Client) -> None:
    # A test that empties the tables leaves the next ones such a database.
    ContentType.objects.all().delete()
    ContentType.objects.clear_cache()
    client.force_login(UserFactory.create(is_staff=True, is_superuser=True))
    assert client.get("/admin/users/user/add/").status_code == 200


def test_a_static_file_keeps_its_own_header(client: Client) -> None:
    response = client.get("/static/admin/css/base.css")
    response.getvalue()
    assert (response.status_code, response.headers["Cache-Control"]) == (200, "max-age=60, public")


def test_the_schema_varies_by_what_was_accepted(client: Client) -> None:
    assert "Accept" in client.get("/api/schema/").headers["Vary"]
