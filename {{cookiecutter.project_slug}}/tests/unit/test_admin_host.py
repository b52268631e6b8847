"""The admin answers on its own host name and exists on no other."""

import asyncio

import pytest
from asgiref.sync import iscoroutinefunction
from django.core.exceptions import MiddlewareNotUsed
from django.http import Http404, HttpRequest, HttpResponse
from django.test import RequestFactory
from pytest_django import Settings

from core.requests.hosts import AdminHostMiddleware


@pytest.fixture(autouse=True)
def _hosts(settings: Settings) -> None:
    settings.ADMIN_HOST = "admin.shop.test"
    settings.ALLOWED_HOSTS = ["shop.test", "admin.shop.test", ".shop.test"]


def answer(host: str, path: str) -> int:
    request = RequestFactory().get(path, HTTP_HOST=host)
    try:
        return AdminHostMiddleware(lambda _: HttpResponse())(request).status_code  # type: ignore[union-attr]
    except Http404:
        return 404


@pytest.mark.parametrize(
    "path", ["/admin", "/admin/", "/admin?next=/", "/admin/login/?next=/", "/%61dmin/"]
)
@pytest.mark.parametrize("host", ["shop.test", "www.shop.test", "xadmin.shop.test", "shop.test:80"])
def test_the_admin_does_not_exist_on_a_public_host(host: str, path: str) -> None:
    assert answer(host, path) == 404


@pytest.mark.parametrize("path", ["/admin", "/admin/", "/admin/users/user/"])
@pytest.mark.parametrize("host", ["admin.shop.test", "ADMIN.shop.test", "admin.shop.test:8443"])
def test_the_admin_answers_on_its_host(host: str, path: str) -> None:
    assert answer(host, path) == 200


@pytest.mark.parametrize(
    "path", ["/", "/api/v1/", "/static/admin/css/base.css", "/administration/"]
)
@pytest.mark.parametrize("host", ["shop.test", "admin.shop.test"])
def test_everything_else_answers_on_both(host: str, path: str) -> None:
    assert answer(host, path) == 200


def test_a_header_of_the_client_does_not_open_the_admin() -> None:
    request = RequestFactory().get(
        "/admin/", HTTP_HOST="shop.test", HTTP_X_FORWARDED_HOST="admin.shop.test"
    )
    with pytest.raises(Http404):
        AdminHostMiddleware(lambda _: HttpResponse())(request)


def test_without_an_admin_host_the_middleware_takes_itself_out(settings: Settings) -> None:
    settings.ADMIN_HOST = None
    with pytest.raises(MiddlewareNotUsed):
        AdminHostMiddleware(lambda _: HttpResponse())


def test_it_holds_for_an_async_application_too() -> None:
    async def get_response(_: HttpRequest) -> HttpResponse:
        return HttpResponse()

    async def call(host: str) -> int:
        request = RequestFactory().get("/admin/", HTTP_HOST=host)
        return (await middleware(request)).status_code  # type: ignore[misc]

    middleware = AdminHostMiddleware(get_response)
    assert iscoroutinefunction(middleware)
    assert asyncio.run(call("admin.shop.test")) == 200
    with pytest.raises(Http404):
        asyncio.run(call("shop.test"))
