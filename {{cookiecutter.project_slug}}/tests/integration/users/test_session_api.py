from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client

from apps.users.models import User
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
URL = "/api/v1/session/"
JSON = "application/json"


def log_in(client: Client, email: str, password: str = PASSWORD) -> Any:
    return client.post(URL, {"email": email, "password": password}, JSON)


def current_user(client: Client) -> Any:
    return client.get(URL).json()["user"]


def test_a_visitor_has_no_user_and_gets_a_csrf_token(client: Client) -> None:
    response = client.get(URL)
    assert response.json()["user"] is None
    assert response.json()["csrf_token"]
    assert settings.CSRF_COOKIE_NAME in response.cookies
    assert settings.SESSION_COOKIE_NAME not in response.cookies


@pytest.mark.parametrize("typed", ["ada@example.org", "Ada@Example.ORG", " ada@example.org "])
def test_a_user_logs_in_by_address_however_it_is_typed(client: Client, typed: str) -> None:
    user = UserFactory.create(email="ada@example.org")
    response = log_in(client, typed)
    assert response.status_code == 200
    expected = {"id": user.pk, "email": "ada@example.org", "name": "Ada"}
    assert response.json()["user"] == expected
    assert current_user(client) == expected


def test_rights_are_not_shown(client: Client) -> None:
    user = UserFactory.create(is_staff=True, is_superuser=True)
    assert set(log_in(client, user.email).json()["user"]) == {"id", "email", "name"}


def test_a_wrong_password_an_unknown_address_and_a_closed_account_look_the_same(
    client: Client,
) -> None:
    user = UserFactory.create()
    closed = UserFactory.create(is_active=False)
    responses = [
        log_in(client, user.email, "wrong"),
        log_in(client, "nobody@example.org"),
        log_in(client, closed.email),
    ]
    assert [response.status_code for response in responses] == [401, 401, 401]
    bodies = [response.json() | {"request_id": ""} for response in responses]
    assert bodies[0] == bodies[1] == bodies[2]
    assert bodies[0]["code"] == "authentication_failed"
    assert current_user(client) is None


def test_the_session_gets_a_new_key_at_login(client: Client) -> None:
    user = UserFactory.create()
    planted = client.session
    planted["basket"] = "1"
    planted.save()
    log_in(client, user.email)
    assert client.session.session_key != planted.session_key
    assert not Session.objects.filter(pk=planted.session_key).exists()


def test_another_users_login_takes_nothing_over_from_the_first(client: Client) -> None:
    first, second = UserFactory.create(), UserFactory.create()
    log_in(client, first.email)
    session = client.session
    session["secret"] = "of the first"
    session.save()
    log_in(client, second.email)
    assert current_user(client)["id"] == second.pk
    assert "secret" not in client.session


def test_a_logout_ends_the_session_for_every_copy_of_the_cookie(client: Client) -> None:
    user = UserFactory.create()
    log_in(client, user.email)
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert current_user(thief)["id"] == user.pk
    assert client.delete(URL).status_code == 204
    assert current_user(client) is None
    assert current_user(thief) is None
    assert client.delete(URL).status_code == 204


def test_a_changed_password_ends_every_session(client: Client) -> None:
    user = UserFactory.create()
    log_in(client, user.email)
    user.set_password("another long enough password")
    user.save()
    assert current_user(client) is None


class TestCsrf:
    """Login, too: without it another site logs a visitor in to an account of its own."""

    @pytest.fixture
    def client(self) -> Client:
        return Client(enforce_csrf_checks=True)

    @pytest.mark.parametrize("method", ["post", "delete"])
    def test_a_call_without_a_token_is_refused(self, client: Client, method: str) -> None:
        user = UserFactory.create()
        sent = {"email": user.email, "password": PASSWORD}
        assert getattr(client, method)(URL, sent, JSON).json()["code"] == "csrf_failed"
        assert current_user(client) is None

    def test_a_call_with_the_token_of_the_last_answer_is_accepted(self, client: Client) -> None:
        user = UserFactory.create()
        sent = {"email": user.email, "password": PASSWORD}
        token = client.get(URL).json()["csrf_token"]
        response = client.post(URL, sent, JSON, headers={"x-csrftoken": token})
        assert response.status_code == 200
        # The token of before the login is worth nothing after it.
        assert client.delete(URL, headers={"x-csrftoken": token}).status_code == 403
        token = response.json()["csrf_token"]
        assert client.delete(URL, headers={"x-csrftoken": token}).status_code == 204


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"email": "ada@example.org"},
        {"email": "", "password": ""},
        {"email": ["ada@example.org"], "password": PASSWORD},
        {"email": "a" * 255, "password": PASSWORD},
        {"email": "ada@example.org", "password": "x" * 4097},
        [],
        None,
    ],
)
def test_what_is_no_pair_of_credentials_is_400_before_any_hash(
    client: Client, sent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_hash(*_: Any) -> None:
        raise AssertionError("hashed")

    monkeypatch.setattr(User, "check_password", no_hash)
    monkeypatch.setattr(User, "set_password", no_hash)
    assert client.post(URL, sent, JSON).json()["code"] == "invalid"


def test_a_password_keeps_its_blanks(client: Client) -> None:
    user = UserFactory.create(password=" leading and trailing ")
    assert log_in(client, user.email, "leading and trailing").status_code == 401
    assert log_in(client, user.email, " leading and trailing ").status_code == 200


def test_no_cache_keeps_who_is_logged_in(client: Client) -> None:
    assert "no-store" in client.get(URL).headers["Cache-Control"]
