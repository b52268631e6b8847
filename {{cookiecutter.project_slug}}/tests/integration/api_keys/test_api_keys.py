"""Keys beside sessions: issued once, hashed, revoked for good."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from apps.api_keys.models import ApiKey
from apps.api_keys.tokens import Token, new_token
from apps.users.models import User
from tests.factories import UserFactory
from tests.logged import logged

pytestmark = pytest.mark.django_db
URL = "/api/v1/api-keys/"
WHO = "/api/v1/session/"
JSON = "application/json"


@pytest.fixture
def user() -> User:
    return UserFactory.create()


@pytest.fixture
def person(user: User) -> Client:
    """A client with a session of `user`."""
    client = Client()
    client.force_login(user)
    return client


def issue(user: User, **changes: Any) -> tuple[ApiKey, Token]:
    key, token = ApiKey.issue(user=user, name="script", expires_at=None)
    ApiKey.objects.filter(pk=key.pk).update(**changes or {"name": "script"})
    return key, token


def call(client: Client, text: str, path: str = WHO, method: str = "get", **options: Any) -> Any:
    headers = {"authorization": f"Bearer {text}"}
    return getattr(client, method)(path, headers=headers, **options)


def refused(response: Any) -> bool:
    return (
        response.status_code == 401
        and response.json()["code"] == "invalid_api_key"
        and response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    )


class TestManaging:
    """By a person, with a session."""

    def test_a_key_is_shown_once_and_works(self, person: Client, user: User) -> None:
        created = person.post(URL, {"name": "nightly export"}, JSON)
        assert created.status_code == 201
        key = created.json().pop("key")
        assert created.headers["Cache-Control"] == "no-store"
        assert call(Client(), key).json()["user"]["id"] == user.pk
        listed = person.get(URL)
        [row] = listed.json()["results"]
        assert row["name"] == "nightly export"
        assert set(row) == set(created.json()) - {"key"}
        secret = key.split(".")[1]
        for response in (listed, person.get(f"{URL}{row['id']}/")):
            assert secret not in response.content.decode()
            assert "digest" not in response.content.decode()

    def test_nothing_that_is_kept_opens_anything(self, user: User) -> None:
        _, token = issue(user)
        with connection.cursor() as cursor:
            cursor.execute("SELECT row_to_json(k)::text FROM api_keys_apikey k")
            [[kept]] = cursor.fetchall()
        assert token.secret not in kept
        assert refused(call(Client(), f"{token.prefix}.{json.loads(kept)['digest']}"))

    def test_a_key_ends_in_a_year_unless_it_says_otherwise(self, person: Client) -> None:
        default = person.post(URL, {"name": "a"}, JSON).json()["expires_at"]
        assert default.startswith(str((timezone.now() + timedelta(days=365)).date()))
        tomorrow = (timezone.now() + timedelta(days=1)).isoformat()
        given = person.post(URL, {"name": "b", "expires_at": tomorrow}, JSON).json()["expires_at"]
        assert given[:19] == tomorrow[:19]

    @pytest.mark.parametrize(
        "sent",
        [
            {},
            {"name": ""},
            {"name": "x" * 101},
            {"name": "a", "expires_at": "2020-01-01T00:00:00Z"},
            {"name": "a", "expires_at": None},
        ],
    )
    def test_a_key_that_makes_no_sense_is_not_made(
        self, person: Client, sent: dict[str, Any]
    ) -> None:
        assert person.post(URL, sent, JSON).status_code == 400
        assert not ApiKey.objects.exists()

    def test_a_revoked_key_is_refused_at_once_and_stays_on_the_list(
        self, person: Client, user: User
    ) -> None:
        key, token = issue(user)
        assert call(Client(), token.text).status_code == 200
        assert person.delete(f"{URL}{key.pk}/").status_code == 204
        assert refused(call(Client(), token.text))
        revoked_at = person.get(f"{URL}{key.pk}/").json()["revoked_at"]
        assert revoked_at
        assert person.delete(f"{URL}{key.pk}/").status_code == 204
        assert person.get(f"{URL}{key.pk}/").json()["revoked_at"] == revoked_at

    def test_the_keys_of_others_do_not_exist(self, person: Client) -> None:
        other, token = issue(UserFactory.create())
        assert person.get(URL).json()["results"] == []
        assert person.get(f"{URL}{other.pk}/").status_code == 404
        assert person.delete(f"{URL}{other.pk}/").status_code == 404
        assert call(Client(), token.text).status_code == 200

    def test_a_key_manages_no_key(self, user: User) -> None:
        key, token = issue(user)
        for method, path in [("get", URL), ("post", URL), ("delete", f"{URL}{key.pk}/")]:
            response = call(Client(), token.text, path, method)
            assert (response.status_code, response.json()["code"]) == (403, "session_required")
        assert ApiKey.objects.get().revoked_at is None

    def test_a_key_beside_a_session_is_the_key(self, person: Client, user: User) -> None:
        _, token = issue(user)
        assert call(person, token.text, URL).status_code == 403

    def test_a_visitor_is_asked_for_a_credential(self, client: Client) -> None:
        response = client.get(URL)
        assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")
        assert response.headers["WWW-Authenticate"] == "Bearer"

    def test_a_session_without_a_csrf_token_makes_no_key(self, user: User) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(user)
        response = client.post(URL, {"name": "planted"}, JSON)
        assert (response.status_code, response.json()["code"]) == (403, "csrf_failed")


class TestCalling:
    """By a program, with a key."""

    def test_a_key_needs_no_csrf_token(self, user: User) -> None:
        _, token = issue(user)
        client = Client(enforce_csrf_checks=True)
        response = call(client, token.text, URL, "post", data={"name": "a"}, content_type=JSON)
        assert response.json()["code"] == "session_required"

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
    def test_the_scheme_is_read_in_any_case(self, user: User, scheme: str) -> None:
        _, token = issue(user)
        headers = {"authorization": f"{scheme} {token.text}"}
        assert Client().get(WHO, headers=headers).json()["user"]["id"] == user.pk

    def test_another_scheme_is_not_ours(self, client: Client) -> None:
        assert client.get(WHO, headers={"authorization": "Basic eDp5"}).status_code == 200

    def test_what_is_no_valid_key_is_401_for_everybody_alike(self, user: User) -> None:
        moment = timezone.now()
        _, good = issue(user)
        wrong = [
            "",
            "x",
            new_token().text,
            Token(good.prefix, new_token().secret).text,
            issue(user, revoked_at=moment)[1].text,
            issue(user, expires_at=moment)[1].text,
            issue(UserFactory.create(is_active=False))[1].text,
        ]
        responses = [call(Client(), text) for text in wrong]
        assert all(refused(response) for response in responses)
        assert len({response.json()["detail"] for response in responses}) == 1
        assert call(Client(), good.text).status_code == 200

    @pytest.mark.parametrize("text", ["x", "x y z", "\xff" * 69, "srvkey_" + "9" * 8000])
    def test_a_malformed_key_costs_no_query(
        self, text: str, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(0):
            assert refused(call(Client(), text))

    @pytest.mark.urls("tests.testapp.caching")
    def test_a_wrong_key_is_refused_where_everybody_is_let_in_and_ignored_where_nobody_is_asked(
        self,
    ) -> None:
        text = new_token().text
        assert refused(call(Client(), text, "/by-class/"))
        assert call(Client(), text, "/without-authentication/").status_code == 200

    def test_a_use_is_noted_once_an_hour(self, user: User) -> None:
        key, token = issue(user)
        with CaptureQueriesContext(connection) as first:
            call(Client(), token.text)
        with CaptureQueriesContext(connection) as second:
            call(Client(), token.text)
        assert [query["sql"].split()[0] for query in first] == ["SELECT", "UPDATE"]
        assert [query["sql"].split()[0] for query in second] == ["SELECT"]
        key.refresh_from_db()
        assert key.last_used_at
        earlier = timezone.now() - timedelta(hours=1, seconds=1)
        ApiKey.objects.update(last_used_at=earlier)
        call(Client(), token.text)
        key.refresh_from_db()
        assert key.last_used_at > earlier

    def test_a_refused_use_is_not_noted(self, user: User) -> None:
        key, _ = issue(user)
        call(Client(), Token(key.prefix, new_token().secret).text)
        key.refresh_from_db()
        assert key.last_used_at is None

    @pytest.mark.urls("tests.testapp.api_urls")
    def test_no_line_of_the_log_holds_a_key(self, user: User, person: Client) -> None:
        _, token = issue(user)
        paths = ["/api/test/bug/", "/api/test/forbidden/", "/nothing/", WHO, URL]
        with logged(level="DEBUG") as lines:
            for path in paths:
                call(Client(raise_request_exception=False), token.text, path)
            call(Client(), Token(token.prefix, new_token().secret).text)
            made = person.post(URL, {"name": "a"}, JSON).json()["key"]
        assert len(lines.requests) == len(paths) + 2
        assert any("secret detail" in row for row in lines.rows)  # the traceback is there
        for text in (token.text, token.secret, made, made.split(".")[1]):
            assert text not in lines.text
            assert text[-43:] not in lines.text


@pytest.mark.django_db(transaction=True)
def test_of_twenty_uses_at_once_one_is_written(user: User) -> None:
    key, _ = issue(user)
    together = threading.Barrier(20)

    def use(_: int) -> bool:
        try:
            together.wait(timeout=10)
            return key.note_use()
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        assert sorted(pool.map(use, range(20))) == [False] * 19 + [True]


class TestAdmin:
    """To see and to revoke."""

    @pytest.fixture
    def staff(self) -> Client:
        client = Client()
        client.force_login(UserFactory.create(is_staff=True, is_superuser=True))
        return client

    def test_keys_are_listed_without_what_is_kept_of_them(self, staff: Client, user: User) -> None:
        key, _ = issue(user)
        key.refresh_from_db()
        for path in ("", f"{key.pk}/change/", f"?q={user.email}"):
            page = staff.get(f"/admin/api_keys/apikey/{path}")
            assert page.status_code == 200
            assert key.prefix in page.content.decode()
            assert key.digest not in page.content.decode()

    def test_selected_keys_are_revoked(self, staff: Client, user: User) -> None:
        (first, token), (_, other) = issue(user), issue(user)
        sent = {"action": "revoke", "_selected_action": [first.pk]}
        assert staff.post("/admin/api_keys/apikey/", sent).status_code == 302
        assert refused(call(Client(), token.text))
        assert call(Client(), other.text).status_code == 200

    def test_the_admin_makes_and_changes_no_key(self, staff: Client, user: User) -> None:
        key, _ = issue(user)
        assert staff.get("/admin/api_keys/apikey/add/").status_code == 403
        staff.post(f"/admin/api_keys/apikey/{key.pk}/change/", {"name": "other", "user": 0})
        key.refresh_from_db()
        assert (key.name, key.user) == ("script", user)


def test_keys_are_in_the_openapi_document(client: Client) -> None:
    accept = {"accept": "application/vnd.oai.openapi+json"}
    document = client.get("/api/schema/", headers=accept).json()
    scheme = document["components"]["securitySchemes"]["apiKey"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    security = document["paths"][URL]["get"]["security"]
    assert {"apiKey": []} in security
    assert {"cookieAuth": []} in security
    assert "key" not in document["components"]["schemas"]["ApiKey"]["properties"]
    assert "key" in document["components"]["schemas"]["IssuedApiKey"]["properties"]
