"""A request with an Idempotency-Key that is sent again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.utils import timezone
from rest_framework.parsers import MultiPartParser

from apps.api_keys.models import ApiKey
from apps.users.models import User
from core.idempotency.models import Answer
from core.idempotency.problems import KeyInUse
from core.idempotency.tasks import clear_old_answers
from core.idempotency.views import KEPT, _Asked
from tests.factories import UserFactory
from tests.testapp.idempotent import Groups

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.testapp.idempotent")]
URL = "/api/test/groups/1/"


@pytest.fixture
def user() -> User:
    return UserFactory.create()


@pytest.fixture
def caller(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def send(client: Client, key: str | None = "first", url: str = URL, **body: Any) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(url, {"name": "pens", **body}, "application/json", headers=headers)


def test_the_same_request_has_one_effect_and_the_same_answer(caller: Client) -> None:
    first, second = send(caller), send(caller)
    assert Group.objects.count() == 1
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert second.headers["Location"] == first.headers["Location"]
    assert second.headers["Content-Type"] == first.headers["Content-Type"]
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"


def test_an_answer_without_a_body_is_repeated_without_one(caller: Client) -> None:
    first, second = send(caller, then="empty"), send(caller, then="empty")
    assert (first.status_code, first.content) == (second.status_code, second.content) == (204, b"")
    assert Group.objects.count() == 1


def test_without_a_key_every_request_has_an_effect_and_nothing_is_kept(caller: Client) -> None:
    send(caller, None)
    send(caller, None)
    assert Group.objects.count() == 2
    assert not Answer.objects.exists()


def test_another_body_or_address_under_the_key_is_refused(caller: Client) -> None:
    send(caller)
    for answer in (
        send(caller, name="ink"),
        send(caller, url=URL + "?a=1"),
        send(caller, url="/api/test/groups/2/"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert Group.objects.count() == 1


def test_a_key_is_its_users_own(caller: Client) -> None:
    other = Client()
    other.force_login(UserFactory.create())
    assert send(caller).json()["id"] != send(other).json()["id"]


def test_nobody_has_no_keys(client: Client) -> None:
    assert send(client).status_code == 401
    assert send(client, None).status_code == 201


@pytest.mark.parametrize(
    ("then", "status"), [("invalid", 400), ("refused", 409), ("bug", 500)], ids=str
)
def test_an_error_is_not_kept_and_leaves_no_effect(caller: Client, then: str, status: int) -> None:
    for _ in range(2):
        answer = send(caller, then=then)
        assert answer.status_code == status
        assert "Idempotent-Replayed" not in answer.headers
        assert not Group.objects.exists()
    # Another body is no second use: the first has left nothing.
    assert send(caller).status_code == 201


@pytest.mark.parametrize("key", ["", " ", "a b", "schlüssel", "x" * 256], ids=repr)
def test_what_is_no_key_is_refused_before_anything_happens(caller: Client, key: str) -> None:
    answer = send(caller, key)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")
    assert not Group.objects.exists()


def test_a_form_with_files_takes_no_key(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Groups, "parser_classes", [MultiPartParser])
    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    client.force_login(user)
    token = client.get("/api/v1/session/").json()["csrf_token"]
    form = {"name": "pens", "csrfmiddlewaretoken": token}
    refused = client.post(URL, form, headers={"Idempotency-Key": "first"})
    assert (refused.status_code, refused.json()["code"]) == (400, "idempotency_key_invalid")


def test_a_key_whose_request_is_being_answered_says_when_to_come_back(
    caller: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def held(_: Any) -> None:
        raise KeyInUse

    monkeypatch.setattr(_Asked, "lock", held)
    refused = send(caller)
    assert (refused.status_code, refused.headers["Retry-After"]) == (409, "1")


def test_an_api_key_and_a_session_of_one_user_share_their_keys(caller: Client, user: User) -> None:
    first = send(caller)
    _, token = ApiKey.issue(user=user, name="script", expires_at=None)
    headers = {"Idempotency-Key": "first", "Authorization": f"Bearer {token.text}"}
    second = Client().post(URL, {"name": "pens"}, "application/json", headers=headers)
    assert (second.status_code, second.content) == (201, first.content)
    assert Group.objects.count() == 1


def test_a_key_may_have_255_characters(caller: Client) -> None:
    assert send(caller, "x" * 255).status_code == 201


def test_a_key_is_free_again_after_a_day(caller: Client) -> None:
    first = send(caller).json()
    Answer.objects.update(created_at=timezone.now() - KEPT + timedelta(minutes=1))
    assert send(caller).json() == first
    Answer.objects.update(created_at=timezone.now() - KEPT - timedelta(minutes=1))
    second = send(caller, name="ink")
    assert second.status_code == 201
    # And is kept for a day from now.
    assert send(caller, name="ink").headers["Idempotent-Replayed"] == "true"
    assert Answer.objects.count() == 1


def test_old_answers_are_deleted_batch_by_batch(caller: Client) -> None:
    for key in "abc":
        send(caller, key)
    Answer.objects.exclude(key="c").update(created_at=timezone.now() - KEPT)
    assert clear_old_answers(batch=1) == 2
    assert [answer.key for answer in Answer.objects.all()] == ["c"]


def test_a_key_costs_three_statements(caller: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(3):
        send(caller, None)
    # A savepoint and its release are this test's: it has a transaction already.
    with django_assert_num_queries(3 + 3 + 2):
        send(caller)


def test_the_lookup_has_an_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        query = Answer.objects.filter(user_id=1, route="POST a", key="b")
        assert "core_idempotency_answer_once" in query.explain()


def test_the_document_tells_of_the_header(client: Client) -> None:
    document = client.get("/api/schema/", headers={"Accept": "application/json"}).json()
    post = document["paths"]["/api/test/groups/{number}/"]["post"]
    [header] = [each for each in post["parameters"] if each["in"] == "header"]
    assert header["name"] == "Idempotency-Key"
    assert not header.get("required", False)
