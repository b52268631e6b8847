"""Through the whole stack, with views of `tests/testapp` beside the service's own."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.factories import UserFactory

pytestmark = pytest.mark.urls("tests.testapp.api_urls")
JSON = "application/json"


@pytest.fixture(autouse=True, params=[False, True], ids=["production", "development"])
def debug(request: pytest.FixtureRequest, settings: Any) -> bool:
    """A client of the API gets the same JSON from a developer's machine."""
    settings.DEBUG = request.param
    return bool(request.param)


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


def problem(response: HttpResponse, status: int, code: str) -> dict[str, Any]:
    """Assert that the response is one, and return it."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = json.loads(response.content)
    assert (body["type"], body["status"], body["code"]) == ("about:blank", status, code)
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == response.headers["X-Request-ID"]
    return body


def test_malformed_json_is_400(client: Client) -> None:
    problem(client.post("/api/test/echo/", "{", JSON), 400, "parse_error")


def test_json_nested_100_000_deep_is_400(client: Client) -> None:
    body = '{"a":' * 100_000 + "1" + "}" * 100_000
    problem(client.post("/api/test/echo/", body, JSON), 400, "parse_error")


def test_an_invalid_body_says_where_by_json_pointers(client: Client) -> None:
    sent = {"items": [{"name": "a", "count": 1}, {"name": "b", "count": 0}]}
    body = problem(client.post("/api/test/echo/", sent, JSON), 400, "invalid")
    assert [(each["pointer"], each["code"]) for each in body["errors"]] == [
        ("#/title", "required"),
        ("#/items/1/count", "min_value"),
    ]


def test_errors_inside_lists_and_under_odd_names_have_valid_pointers(client: Client) -> None:
    body = problem(client.get("/api/test/nested/"), 400, "invalid")
    assert [(each["pointer"], each["detail"]) for each in body["errors"]] == [
        ("#/lines/1/a~1b~0c", "wrong"),
        ("#/names", "odd"),
        ("#/names", "rude"),
    ]


def test_an_error_of_the_whole_body_points_at_the_whole(client: Client) -> None:
    body = problem(client.post("/api/test/echo/", {"title": "whole"}, JSON), 400, "invalid")
    assert body["errors"] == [{"pointer": "#", "code": "whole", "detail": "Wrong as a whole."}]


def test_a_body_that_is_no_object_is_400(client: Client) -> None:
    problem(client.post("/api/test/echo/", "[1]", JSON), 400, "invalid")


@pytest.mark.parametrize("path", ["/api/test/echo/?name=a%00", "/api/v1/a%00/", "/api/?%00"])
def test_a_nul_in_the_address_is_400(client: Client, path: str) -> None:
    problem(client.get(path), 400, "bad_request")


def test_a_nul_in_the_session_cookie_is_400(client: Client) -> None:
    cookie = r'sessionid="\000aaaaaaaaaaaa"'
    problem(client.get("/api/v1/session/", headers={"cookie": cookie}), 400, "bad_request")


def test_a_nul_in_the_body_is_400(client: Client) -> None:
    problem(client.post("/api/test/echo/", '{"title": "a\\u0000"}', JSON), 400, "parse_error")


@pytest.mark.parametrize("name", ["bad", "suspicious"])
def test_a_bad_request_that_django_finds_in_a_view_is_400(client: Client, name: str) -> None:
    response = client.get(f"/api/test/{name}/")

    problem(response, 400, "parse_error")
    assert b"secret" not in response.content


def test_no_permission_is_403(client: Client) -> None:
    problem(client.get("/api/test/forbidden/"), 403, "permission_denied")


def test_a_missing_csrf_token_is_403() -> None:
    client = Client(enforce_csrf_checks=True)
    problem(client.post("/api/v1/session/", {}, JSON), 403, "csrf_failed")


@pytest.mark.django_db
def test_a_missing_csrf_token_has_one_name_whoever_looks_for_it() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(UserFactory.create())
    problem(client.post("/api/test/echo/", {}, JSON), 403, "csrf_failed")


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_an_unknown_path_is_404_for_every_method(method: str) -> None:
    client = Client(enforce_csrf_checks=True)
    problem(getattr(client, method)("/api/v1/nothing/here/"), 404, "not_found")


def test_a_method_that_is_not_offered_is_405_and_says_which_are(client: Client) -> None:
    response = client.put("/api/v1/session/", {}, JSON)
    problem(response, 405, "method_not_allowed")
    assert response.headers["Allow"] == "GET, POST, DELETE, HEAD, OPTIONS"


def test_a_format_that_is_not_offered_is_406(client: Client) -> None:
    response = client.get("/api/v1/session/", headers={"accept": "text/csv"})
    problem(response, 406, "not_acceptable")


def test_a_body_over_the_limit_is_413(client: Client, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    sent = {"title": "x" * 101}
    problem(client.post("/api/test/echo/", sent, JSON), 413, "too_large")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_that_is_not_json_is_415(client: Client, content_type: str) -> None:
    response = client.post("/api/test/echo/", "title=x", content_type=content_type)
    problem(response, 415, "unsupported_media_type")


def test_a_throttled_call_is_429_and_says_when_to_come_back(client: Client) -> None:
    response = client.get("/api/test/throttled/")
    problem(response, 429, "throttled")
    assert response.headers["Retry-After"] == "7"


def test_a_store_that_is_away_is_503_and_says_when_to_come_back(client: Client) -> None:
    response = client.get("/api/test/unstored/")
    body = problem(response, 503, "unavailable")
    assert "secret" not in body["detail"]
    assert response.headers["Retry-After"] == "10"


def test_a_bug_is_500_without_a_word_about_it_and_its_traceback_is_logged(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    response = client.get("/api/test/bug/")
    problem(response, 500, "error")
    assert b"secret" not in response.content
    [logged] = [each for each in caplog.records if each.name == "django.request"]
    assert logged.levelno == logging.ERROR
    assert logged.exc_info
    assert str(logged.exc_info[1]) == "secret detail"


def test_the_test_client_still_raises_a_bug() -> None:
    with pytest.raises(RuntimeError, match="secret detail"):
        Client().get("/api/test/bug/")


def test_a_missing_last_slash_is_redirected_and_keeps_the_query(client: Client) -> None:
    response = client.get("/api/docs?a=1")
    assert response.status_code == 301
    assert response.headers["Location"] == "/api/docs/?a=1"


class TestOutsideOfDrf:
    """What Django answers itself; in development it shows its own pages outside of `/api/`."""

    @pytest.fixture(autouse=True)
    def _deployed(self, settings: Any) -> None:
        settings.DEBUG = False

    def test_a_bug_under_api_is_a_problem(self, client: Client) -> None:
        response = client.get("/api/test/plain/")
        problem(response, 500, "error")
        assert b"secret" not in response.content

    @pytest.mark.parametrize(("path", "status"), [("/broken/", 500), ("/nothing/", 404)])
    def test_a_person_gets_a_page_with_the_request_id(
        self, client: Client, path: str, status: int
    ) -> None:
        response = client.get(path)
        assert response.status_code == status
        assert response.headers["Content-Type"].startswith("text/html")
        assert response.headers["X-Request-ID"].encode() in response.content
        assert b"secret" not in response.content

    def test_the_style_of_the_page_is_what_our_policy_lets_in(self, client: Client) -> None:
        response = client.get("/nothing/")
        policy = response.headers["Content-Security-Policy"]
        nonce = policy.split("style-src 'self' 'nonce-")[1].split("'")[0]
        assert f'<style nonce="{nonce}">'.encode() in response.content

    def test_a_form_without_a_csrf_token_gets_a_page(self) -> None:
        response = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "x"})
        assert response.status_code == 403
        assert response.headers["Content-Type"].startswith("text/html")
        assert b"CSRF" in response.content

    def test_a_host_that_is_not_ours_is_400(self, client: Client) -> None:
        problem(
            client.get("/api/v1/session/", headers={"host": "evil.example"}), 400, "bad_request"
        )
