from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from core.api.nul import NulMiddleware


def answer(request: HttpRequest) -> HttpResponse:
    return HttpResponse("reached the view")


async def answer_async(request: HttpRequest) -> HttpResponse:
    return HttpResponse("reached the view")


def request_with(path: str = "/api/v1/", **environ: Any) -> HttpRequest:
    request = RequestFactory().get("/", **environ)
    request.path = request.path_info = path
    return request


HARMLESS = [
    request_with(QUERY_STRING="name=a%20b&c=100%25"),
    request_with(HTTP_COOKIE=r'a="\054\"x"; b=1'),
]
NUL = [
    request_with(QUERY_STRING="name=a%00"),
    request_with("/api/v1/a\0/"),
    request_with(HTTP_COOKIE=r'session="\000aaaaaaaa"'),
]


@pytest.mark.parametrize("request_", HARMLESS)
def test_a_request_without_nul_reaches_the_view(request_: HttpRequest) -> None:
    response: Any = NulMiddleware(answer)(request_)
    assert response.status_code == 200


@pytest.mark.parametrize("request_", NUL)
def test_a_nul_in_path_query_or_cookie_is_a_bad_request(request_: HttpRequest) -> None:
    response: Any = NulMiddleware(answer)(request_)
    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"


def test_under_asgi_it_does_the_same() -> None:
    middleware: Any = NulMiddleware(answer_async)
    assert asyncio.run(middleware(HARMLESS[0])).status_code == 200
    assert asyncio.run(middleware(NUL[0])).status_code == 400
