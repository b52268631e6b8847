"""What the test client would hide: it empties every 304 itself."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from core.caching.middleware import CachingMiddleware


def answer(_: HttpRequest) -> HttpResponse:
    response = HttpResponse("text", headers={"Content-Length": "4", "Content-Language": "en"})
    response.headers["Vary"] = "Accept"
    return response


def ask(**headers: str) -> Any:
    return CachingMiddleware(answer)(RequestFactory().get("/", headers=headers))


def test_a_304_has_no_body_and_says_nothing_of_one() -> None:
    first = ask()
    assert first.content == b"text"
    again = ask(**{"if-none-match": first.headers["ETag"]})
    assert (again.status_code, again.reason_phrase, again.content) == (304, "Not Modified", b"")
    assert dict(again.headers) == {
        "Vary": "Accept",
        "Cache-Control": "no-store",
        "ETag": first.headers["ETag"],
    }
