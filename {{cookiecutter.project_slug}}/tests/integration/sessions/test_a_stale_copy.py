"""A cache that says what is no longer true, whatever the reason, logs nobody in.

The old entries are put back byte by byte: as a freeze, a lost DEL, a failover to a replica that
lags and a restart from an old file would.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from asgiref.sync import async_to_sync
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.http import HttpResponse
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from apps.users.models import User
from core.sessions import cached_db
from core.sessions.cached_db import COPY_SECONDS, SessionStore
from core.sessions.middleware import AuthenticationMiddleware
from core.sessions.models import MARGIN
from scripts.servers import Valkey
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
URL = "/api/v1/session/"
JSON = "application/json"


@pytest.fixture
def inspector(cache_server: Valkey) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(cache_server.url) as client:
        yield client


@contextmanager
def undone(inspector: redis.Redis) -> Iterator[None]:
    """The cache forgets what happened in the block."""
    before = {key: inspector.dump(key) for key in inspector.scan_iter()}
    assert before
    yield
    inspector.flushall()
    for key, value in before.items():
        inspector.restore(key, COPY_SECONDS * 1000, value)


@pytest.fixture
def user() -> User:
    return UserFactory.create()


def log_in(user: User) -> Client:
    client = Client(raise_request_exception=False)
    assert client.post(URL, {"email": user.email, "password": PASSWORD}, JSON).status_code == 200
    return client


def copy_of(client: Client) -> Client:
    copy = Client(raise_request_exception=False)
    copy.cookies.load(client.cookies.output(header="", sep=";"))
    return copy


def is_logged_in(client: Client) -> bool:
    response = client.get(URL)
    assert response.status_code == 200
    return response.json()["user"] is not None


def session_queries(client: Client) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert is_logged_in(client)
    return sum("django_session" in query["sql"] for query in captured.captured_queries)


def test_a_logout_holds(user: User, inspector: redis.Redis) -> None:
    client = log_in(user)
    thief = copy_of(client)
    with undone(inspector):
        assert client.delete(URL).status_code == 204
    for _ in range(3):
        assert not is_logged_in(copy_of(thief))


def test_a_logout_holds_for_a_copy_that_was_written_after_it(
    user: User, inspector: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A request that read the row before the logout writes its copy when the cache thaws.
    client = log_in(user)
    thief = copy_of(client)
    inspector.flushall()
    late: list[Any] = []
    monkeypatch.setattr(cache, "add", lambda *given, **options: late.append((given, options)))
    assert is_logged_in(client)
    monkeypatch.undo()
    client.delete(URL)
    [(given, options)] = late
    assert cache.add(*given, **options)

    assert not is_logged_in(thief)


def test_the_users_other_sessions_stay_and_cost_a_query_until_the_margin_is_over(
    user: User, inspector: redis.Redis
) -> None:
    leaving, staying = log_in(user), log_in(user)
    with undone(inspector):
        leaving.delete(URL)
    assert session_queries(staying) == 1
    User.objects.update(sessions_stale_until=timezone.now() - MARGIN)
    inspector.flushall()
    assert session_queries(staying) == 1
    assert session_queries(staying) == 0


def test_within_the_margin_of_a_logout_a_new_copy_is_in_doubt_as_well(user: User) -> None:
    # Its row may have been read by a request that did not see the logout's transaction yet.
    log_in(user).delete(URL)
    assert session_queries(log_in(user)) == 1


def test_a_copy_of_an_old_row_does_not_replace_that_of_a_newer_one(
    user: User, inspector: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = log_in(user).session.session_key
    decode = SessionStore.decode

    def overtaken(store: SessionStore, encoded: str) -> dict[str, Any]:
        monkeypatch.undo()
        newer = SessionStore(key)
        newer["step"] = 2
        newer.save()
        return decode(store, encoded)

    inspector.flushall()
    monkeypatch.setattr(SessionStore, "decode", overtaken)
    SessionStore(key).load()
    assert SessionStore(key)["step"] == 2


def test_another_user_pays_nothing_for_it(user: User) -> None:
    other = log_in(UserFactory.create())
    log_in(user).delete(URL)
    assert session_queries(other) == 0


def test_a_new_key_ends_the_old_one(user: User, inspector: redis.Redis) -> None:
    client = log_in(user)
    thief = copy_of(client)
    with undone(inspector):
        client.session.cycle_key()
    assert not is_logged_in(thief)


def test_a_session_that_is_ended_by_its_key_alone_stays_ended(
    user: User, inspector: redis.Redis
) -> None:
    client = log_in(user)
    with undone(inspector):
        SessionStore().delete(client.session.session_key)
    assert not is_logged_in(client)


def test_a_changed_password_ends_a_session_that_the_cache_still_has(
    user: User, inspector: redis.Redis
) -> None:
    client = log_in(user)
    with undone(inspector):
        user.set_password("another long enough password")
        user.save()
    assert not is_logged_in(client)


def test_data_that_the_cache_did_not_take_is_not_overwritten_by_what_it_kept(
    user: User, inspector: redis.Redis, cache_server: Valkey
) -> None:
    client = log_in(user)
    session = client.session
    session["step"] = 1
    session.save()
    with undone(inspector):
        cache_server.freeze()
        session["step"] = 2
        session.save()
        cache_server.thaw()
    cache.breaker.close()
    request: Any = type("Request", (), {"session": client.session})()
    AuthenticationMiddleware(lambda _: HttpResponse()).before(request)
    assert request.user.pk == user.pk
    assert request.session["step"] == 2


def test_what_a_request_changed_before_it_asked_for_the_user_is_kept(user: User) -> None:
    client = log_in(user)
    log_in(user).delete(URL)
    request: Any = type("Request", (), {"session": client.session})()
    request.session["step"] = 1
    AuthenticationMiddleware(lambda _: HttpResponse()).before(request)
    assert request.user.pk == user.pk
    assert request.session["step"] == 1


def test_saving_a_user_who_was_read_before_the_logout_leaves_the_mark(user: User) -> None:
    client = log_in(user)
    read_before = User.objects.get(pk=user.pk)
    client.delete(URL)
    read_before.name = "Grace"
    read_before.save()
    marked = User.objects.get(pk=user.pk)
    assert marked.name == "Grace"
    assert marked.sessions_stale_until is not None


def test_a_logout_and_its_mark_happen_both_or_not_at_all(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError

    client = log_in(user)
    monkeypatch.setattr(cached_db, "distrust_copies", fail)
    assert client.delete(URL).status_code == 500
    assert is_logged_in(client)
    assert Session.objects.filter(pk=client.session.session_key).exists()


def test_a_copy_lives_for_minutes_and_no_longer_than_its_session(
    user: User, inspector: redis.Redis
) -> None:
    client = log_in(user)
    [key] = [key for key in inspector.scan_iter() if client.session.session_key.encode() in key]
    assert 0 < inspector.ttl(key) <= COPY_SECONDS
    session = client.session
    session.set_expiry(60)
    session.save()
    assert 0 < inspector.ttl(key) <= 60


def test_an_entry_that_cannot_be_read_is_a_miss(user: User, inspector: redis.Redis) -> None:
    client = log_in(user)
    [key] = [key for key in inspector.scan_iter() if client.session.session_key.encode() in key]
    inspector.set(key, b"no pickle", ex=60)
    assert is_logged_in(client)


@pytest.mark.django_db(transaction=True)
def test_a_logout_holds_in_a_request_without_a_thread(user: User, inspector: redis.Redis) -> None:
    client = log_in(user)
    held = AsyncClient()
    held.cookies.load(client.cookies.output(header="", sep=";"))

    async def known() -> bool:
        store = SessionStore(client.cookies["sessionid"].value)
        request: Any = type("Request", (), {"session": store})()
        AuthenticationMiddleware(lambda _: HttpResponse()).before(request)
        first = await request.auser()
        assert (await request.auser()).is_authenticated == first.is_authenticated
        return bool(first.is_authenticated)

    assert async_to_sync(known)()
    with undone(inspector):
        async_to_sync(SessionStore(client.cookies["sessionid"].value).aflush)()
    assert not async_to_sync(known)()


def test_sessions_are_never_read_from_a_replica(user: User, settings: Settings) -> None:
    class ReadsElsewhere:
        def db_for_read(self, model: type, **_: Any) -> str | None:
            return "replica" if model is Session else None

    client = log_in(user)
    settings.DATABASE_ROUTERS = [ReadsElsewhere()]
    cache.clear()
    assert is_logged_in(client)
    assert client.delete(URL).status_code == 204
    assert not is_logged_in(client)


def test_a_user_model_without_the_mark_is_refused_at_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("core.sessions.middleware.get_user_model", lambda: Session)
    with pytest.raises(ImproperlyConfigured, match="SessionOwner"):
        AuthenticationMiddleware(lambda _: HttpResponse())
