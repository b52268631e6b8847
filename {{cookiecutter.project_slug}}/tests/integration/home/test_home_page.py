from __future__ import annotations

import time
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import resolve

from apps.home import dependencies
from core.health import services
from scripts.servers import Valkey


@pytest.fixture(autouse=True)
def _ask_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it a page would repeat the states of the last second, those of another test."""
    monkeypatch.setattr(services, "FRESH", 0.0)


@pytest.fixture
def development(settings: Any) -> None:
    settings.DEBUG = True


def states() -> dict[str, str]:
    return {each.name: each.problem for each in dependencies.check_dependencies()}


def text(client: Client) -> str:
    response = client.get("/")
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.usefixtures("development")
def test_in_development_the_page_says_who_this_is_and_that_everything_answers(
    client: Client,
) -> None:
    page = text(client)
    assert f"<h1>{django_settings.PROJECT_NAME}</h1>" in page
    assert [page.count(f"{name}</th>") for name in ("Database", "Cache", "Broker")] == [1, 1, 1]
    assert page.count('class="up"') == 3
    assert 'class="down"' not in page


@pytest.mark.usefixtures("development")
def test_what_django_serves_of_the_links_is_there(client: Client) -> None:
    page = text(client)
    for path in ("/api/docs/", "/api/schema/", "/admin/"):
        assert f'href="{path}"' in page
        assert resolve(path)


@pytest.mark.usefixtures("development")
def test_a_dead_cache_is_named_and_the_page_still_opens(
    client: Client, cache_server: Valkey
) -> None:
    cache_server.kill()
    assert 'class="down"' in text(client)
    assert {name for name, problem in states().items() if problem} == {"cache"}
    cache_server.start()
    assert not any(states().values())


@pytest.mark.usefixtures("development")
def test_a_frozen_broker_does_not_hold_the_page(client: Client, broker_server: Valkey) -> None:
    broker_server.freeze()
    began = time.monotonic()
    assert 'class="down"' in text(client)
    assert time.monotonic() - began < services.LIMIT + 1
    broker_server.thaw()


def test_elsewhere_the_page_says_the_name_and_no_more(client: Client) -> None:
    page = text(client)
    assert f"<h1>{django_settings.PROJECT_NAME}</h1>" in page
    assert "<table" not in page
    assert "/admin/" not in page


def test_the_page_is_read_only(client: Client) -> None:
    assert client.post("/").status_code == 405


def test_every_style_of_the_page_has_the_nonce_of_the_policy(client: Client) -> None:
    response = client.get("/")
    policy = response.headers["Content-Security-Policy"]
    nonce = policy.split("style-src 'self' 'nonce-")[1].split("'")[0]
    page = response.content.decode()
    assert page.count("<style") == page.count(f'<style nonce="{nonce}">') == 1
    assert "style=" not in page
