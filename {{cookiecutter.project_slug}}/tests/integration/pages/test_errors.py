"""Errors as people see them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory

from core.pages.errors import CSRF, WORDS, render, respond
from core.pages.middleware import ErrorPageMiddleware


def through(response: HttpResponse | StreamingHttpResponse, path: str = "/") -> Any:
    """What the middleware makes of a view's answer."""
    return ErrorPageMiddleware(lambda _: response)(RequestFactory().get(path))


@pytest.mark.parametrize("status", WORDS)
def test_every_error_has_a_page_that_needs_no_request_and_says_what_to_do(status: int) -> None:
    page = render(status)
    words = WORDS[status]
    said = map(str, (words.title, words.happened, words.advice))
    for part in (f"Error {status}", *said, 'href="/"'):
        assert part in page
    assert "Request id" not in page
    # Nothing that a proxy would have to fetch from a service that is away, but for its icon.
    assert set(re.findall(r'(?:src|href)="([^"]+)"', page)) == {"/", "/favicon.ico", "/favicon.svg"}


def test_an_error_that_nobody_foresaw_has_a_page_too() -> None:
    assert "I'm a Teapot" in render(418).replace("&#x27;", "'")
    assert "Error 499" in render(499)


def test_a_page_for_one_request_has_its_id_and_is_kept_by_nobody() -> None:
    request = RequestFactory().get("/")
    request.request_id = "id-of-the-request"  # type: ignore[attr-defined]
    response = respond(request, 403, CSRF)
    assert b"<code>id-of-the-request</code>" in response.content
    assert CSRF.advice.encode() in response.content
    assert response.headers["Cache-Control"] == "no-store"


def test_an_id_is_no_markup() -> None:
    assert "<script" not in render(500, request_id="<script>")


def test_a_method_that_is_not_offered_gets_a_page_and_keeps_its_headers(client: Client) -> None:
    response = client.post("/")
    assert response.status_code == 405
    assert b"Method not allowed" in response.content
    assert response.headers["Allow"] == "GET, HEAD"
    assert int(response.headers["Content-Length"]) == len(response.content)
    assert response.headers["X-Request-ID"].encode() in response.content


def test_an_error_without_a_body_gets_its_page() -> None:
    response = through(HttpResponse(status=503, headers={"Retry-After": "7"}))
    assert b"cannot answer at the moment" in response.content
    assert response.headers["Retry-After"] == "7"
    assert response.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("response", "path"),
    [
        (HttpResponse(b"own words", status=503), "/"),
        (HttpResponse(status=405), "/api/v1/things/"),
        (HttpResponse(status=405), "/stream/things/"),
        (HttpResponse(status=204), "/"),
        (HttpResponse(status=302), "/"),
    ],
    ids=["with words of its own", "of the API", "of a stream", "no content", "a redirect"],
)
def test_any_other_answer_passes_as_it_is(response: HttpResponse, path: str) -> None:
    before = response.content
    assert through(response, path).content == before


def test_a_stream_is_not_read() -> None:
    stream = StreamingHttpResponse(iter([b"part"]), status=500)
    assert through(stream) is stream
    assert b"".join(stream) == b"part"


def test_the_pages_can_be_written_for_a_proxy(tmp_path: Path) -> None:
    call_command("error_pages", tmp_path / "errors", verbosity=0)
    written = {path.name: path.read_text("utf-8") for path in (tmp_path / "errors").iterdir()}
    assert set(written) == {f"{status}.{kind}" for status in WORDS for kind in ("html", "json")}
    assert written["502.html"] == render(502)
    problem = json.loads(written["502.json"])
    assert (problem["status"], problem["code"]) == (502, "bad_gateway")


def test_a_page_for_a_proxy_has_a_place_for_the_id_of_the_request(tmp_path: Path) -> None:
    call_command("error_pages", tmp_path, "--ssi", "ident", verbosity=0)
    place = '<!--#echo var="ident" -->'
    assert f"<code>{place}</code>" in (tmp_path / "503.html").read_text("utf-8")
    problem = (tmp_path / "503.json").read_text("utf-8").replace(place, "an-id")
    assert json.loads(problem)["request_id"] == "an-id"
