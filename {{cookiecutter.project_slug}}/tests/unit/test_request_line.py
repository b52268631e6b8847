"""One line per request, and the request id in everything that the request does."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from asgiref.sync import iscoroutinefunction
from django.core.signals import request_finished
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.test import RequestFactory
from django.utils.functional import SimpleLazyObject
from pytest_django import Settings

from core.requests.context import clear_context, current_request_id
from core.requests.middleware import RequestMiddleware
from tests.logged import logged

View = Callable[[HttpRequest], HttpResponseBase]


@pytest.fixture(autouse=True)
def _clean(settings: Settings) -> Iterator[None]:
    settings.FORWARDED_ALLOW_IPS = ["127.0.0.1"]
    yield
    clear_context()


def get(path: str = "/orders/", **meta: Any) -> HttpRequest:
    return RequestFactory().get(path, **meta)


def serve(view: View, request: HttpRequest) -> HttpResponseBase:
    response = RequestMiddleware(view)(request)
    assert isinstance(response, HttpResponseBase)
    return response


def serve_async(view: View, request: HttpRequest) -> HttpResponseBase:
    async def get_response(request: HttpRequest) -> HttpResponseBase:
        return view(request)

    async def call() -> HttpResponseBase:
        middleware = RequestMiddleware(get_response)
        # Otherwise Django would run it in a thread.
        assert iscoroutinefunction(middleware)
        response = middleware(request)
        assert isinstance(response, Awaitable)
        return await response

    return asyncio.run(call())


both = pytest.mark.parametrize("serve", [serve, serve_async], ids=["sync", "async"])
Serve = Callable[[View, HttpRequest], HttpResponseBase]


@both
def test_a_request_is_one_line(serve: Serve) -> None:
    request = get("/orders/7/?token=secret&email=ann@example.org", REMOTE_ADDR="203.0.113.9")

    def view(request: HttpRequest) -> HttpResponse:
        request.resolver_match = SimpleNamespace(route="orders/<int:pk>/")  # type: ignore[assignment]
        return HttpResponse(b"hello", status=404, headers={"Content-Length": "5"})

    with logged() as lines:
        response = serve(view, request)
    (line,) = lines.json
    assert isinstance(line.pop("duration_ms"), float)
    assert {key: line[key] for key in line if key not in ("timestamp", "pid")} == {
        "level": "info",
        "logger": "request",
        "message": "request",
        "service": "shop",
        "role": "test",
        "release": "r1",
        "request_id": response.headers["X-Request-ID"],
        "method": "GET",
        "path": "/orders/7/",
        "route": "orders/<int:pk>/",
        "status": 404,
        "client": "203.0.113.9",
        "bytes": 5,
    }
    assert "secret" not in lines.text
    assert "ann" not in lines.text


@both
def test_the_id_of_the_proxy_is_in_the_request_the_lines_and_the_response(serve: Serve) -> None:
    seen = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.extend([request.request_id, current_request_id()])  # type: ignore[attr-defined]
        structlog.get_logger("shop").warning("inside")
        logging.getLogger("library").warning("inside too")
        return HttpResponse()

    with logged() as lines:
        response = serve(view, get(HTTP_X_REQUEST_ID="from-the-proxy"))
    assert seen == ["from-the-proxy"] * 2
    assert [line["request_id"] for line in lines.json] == ["from-the-proxy"] * 3
    assert response.headers["X-Request-ID"] == "from-the-proxy"


@both
@pytest.mark.parametrize(
    "forged", ["a\r\nX-Evil: 1", "x" * 10_240, "a\n{}", "\x1b[31mred", "\x00" * 9, "a\u2028bcdefgh"]
)
def test_a_forged_id_is_replaced_and_appears_nowhere(serve: Serve, forged: str) -> None:
    with logged() as lines:
        response = serve(lambda _: HttpResponse(), get(HTTP_X_REQUEST_ID=forged))
    (line,) = lines.json
    assert line["request_id"] == response.headers["X-Request-ID"]
    assert len(line["request_id"]) == 32
    assert forged not in lines.text


@pytest.mark.parametrize("text", ["\n{}", "\r\n", "\x1b[31m", "\x00", "\x85", "\u2028", '"}'])
def test_no_path_makes_a_second_line(text: str) -> None:
    request = get()
    request.path = f"/a{text}b"
    with logged() as lines:
        serve(lambda _: HttpResponse(), request)
    assert len(lines.rows) == 1
    assert lines.json[0]["path"] == f"/a{text}b"


@pytest.mark.parametrize(
    ("status", "level"),
    [(200, "info"), (302, "info"), (404, "info"), (499, "info"), (500, "error"), (503, "error")],
)
def test_only_an_answer_from_500_on_is_an_error(status: int, level: str) -> None:
    with logged() as lines:
        serve(lambda _: HttpResponse(status=status), get())
    assert lines.json[0]["level"] == level


def test_a_user_that_no_code_asked_for_is_not_loaded() -> None:
    def load() -> Any:
        raise AssertionError("the line loaded the session")

    request = get()
    request.user = SimpleLazyObject(load)  # type: ignore[assignment]
    with logged() as lines:
        serve(lambda _: HttpResponse(), request)
    assert "user_id" not in lines.json[0]


def test_a_user_that_was_asked_for_is_named_by_key_alone() -> None:
    request = get()
    request.user = SimpleLazyObject(lambda: SimpleNamespace(pk=7, email="ann@example.org"))  # type: ignore[assignment]

    def view(request: HttpRequest) -> HttpResponse:
        assert request.user.email
        return HttpResponse()

    with logged() as lines:
        serve(view, request)
    assert lines.json[0]["user_id"] == 7
    assert "ann" not in lines.text


def test_a_user_that_an_api_set_is_named_and_an_anonymous_one_is_not() -> None:
    with logged() as lines:
        for user in (SimpleNamespace(pk=7), SimpleNamespace(pk=None)):
            request = get()
            request.user = user  # type: ignore[assignment]
            serve(lambda _: HttpResponse(), request)
    named, anonymous = lines.json
    assert named["user_id"] == 7
    assert "user_id" not in anonymous


@pytest.fixture
def _without_database_cleanup() -> Iterator[None]:
    """`response.close()` sends request_finished; here only our own receiver hears it."""
    receivers = request_finished.receivers
    request_finished.receivers = [each for each in receivers if each[0][0] == "core.requests"]
    request_finished.sender_receivers_cache.clear()
    assert request_finished.receivers
    yield
    request_finished.receivers = receivers
    request_finished.sender_receivers_cache.clear()


@pytest.mark.usefixtures("_without_database_cleanup")
def test_a_stream_is_one_line_at_its_end_and_logs_with_the_id_meanwhile() -> None:
    def body() -> Iterator[bytes]:
        structlog.get_logger("shop").warning("streaming")
        yield b"part"

    with logged() as lines:
        response = serve(lambda _: StreamingHttpResponse(body()), get())
        assert lines.requests == []
        assert b"".join(response) == b"part"  # type: ignore[arg-type]
        response.close()
        logging.getLogger("later").warning("other work of this thread")
    streaming, request, later = lines.json
    assert streaming["request_id"] == request["request_id"] == response.headers["X-Request-ID"]
    assert request["status"] == 200
    assert "bytes" not in request
    assert "request_id" not in later


@pytest.mark.usefixtures("_without_database_cleanup")
def test_a_thread_takes_nothing_of_one_request_into_the_next() -> None:
    def view(request: HttpRequest) -> HttpResponse:
        if request.path == "/first/":
            structlog.contextvars.bind_contextvars(tenant="first")
        return HttpResponse()

    with logged() as lines:
        serve(view, get("/first/", HTTP_X_REQUEST_ID="request-1"))  # never closed
        serve(view, get("/second/", HTTP_X_REQUEST_ID="request-2")).close()
        logging.getLogger("later").warning("no request")
    first, second, later = lines.json
    assert (first["request_id"], first["tenant"]) == ("request-1", "first")
    assert second["request_id"] == "request-2"
    assert "tenant" not in second
    assert "request_id" not in later


def test_requests_that_overlap_in_one_loop_keep_their_own_ids() -> None:
    arrived = asyncio.Barrier(2)

    async def get_response(request: HttpRequest) -> HttpResponse:
        await arrived.wait()
        logging.getLogger("view").warning(request.path)
        await arrived.wait()
        return HttpResponse()

    async def main() -> None:
        middleware: Any = RequestMiddleware(get_response)
        async with asyncio.TaskGroup() as group:
            for name in ("request-a", "request-b"):
                group.create_task(middleware(get(f"/{name}", HTTP_X_REQUEST_ID=name)))

    with logged() as lines:
        asyncio.run(main())
    for line in lines.json:
        assert line["request_id"] in (line["message"] + line.get("path", ""))
    assert len(lines.json) == 4


def test_a_client_that_leaves_an_async_view_is_one_line_with_499() -> None:
    async def get_response(_: HttpRequest) -> HttpResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async def main() -> None:
        middleware: Any = RequestMiddleware(get_response)
        task = asyncio.ensure_future(middleware(get()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with logged() as lines:
        asyncio.run(main())
    (line,) = lines.json
    assert (line["status"], line["level"]) == (499, "info")
