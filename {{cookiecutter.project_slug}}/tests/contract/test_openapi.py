"""The OpenAPI document against the running service."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture
def document(client: Client) -> dict[str, Any]:
    response = client.get("/api/schema/", headers={"accept": "application/vnd.oai.openapi+json"})
    assert response.status_code == 200
    return dict(json.loads(response.content))


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def test_the_document_is_valid_openapi_and_nothing_in_it_was_guessed() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO())


def test_every_path_of_the_document_is_versioned(document: dict[str, Any]) -> None:
    assert document["paths"]
    assert all(path.startswith("/api/v1/") for path in document["paths"])


def test_every_operation_documents_its_errors_as_problems(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        content = operation["responses"]["default"]["content"]
        assert content == {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        }, (method, path)


@pytest.mark.django_db
def test_every_operation_exists_and_answers_a_stranger_as_documented(
    document: dict[str, Any],
) -> None:
    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    problem = document["components"]["schemas"]["Problem"]
    for path, method, operation in operations(document):
        response = getattr(client, method)(re.sub(r"\{\w+\}", "1", path))
        where = (method, path, response.status_code)
        assert response.status_code not in (404 if "{" not in path else 0, 405, 500), where
        kind = response.headers["Content-Type"]
        if str(response.status_code) in operation["responses"]:
            [expected] = operation["responses"][str(response.status_code)]["content"]
            assert kind == expected, where
        else:
            assert kind == "application/problem+json", where
            body = response.json()
            assert set(problem["required"]) <= set(body) <= set(problem["properties"]), where


def test_the_docs_load_every_asset_from_this_service(client: Client) -> None:
    page = client.get("/api/docs/").content.decode()
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(loaded) == 5  # favicon, style, bundle, presets and the script that starts it
    for url in loaded:
        if url.startswith("/static/"):
            assert finders.find(url.removeprefix("/static/")), url
        else:
            response = client.get(url)
            kinds = ("application/javascript", "image/svg+xml")
            assert response.headers["Content-Type"].startswith(kinds), url


def test_the_docs_run_under_our_policy(client: Client) -> None:
    response = client.get("/api/docs/")
    policy = response.headers["Content-Security-Policy"]
    nonce = policy.split("style-src 'self' 'nonce-")[1].split("'")[0]
    page = response.content.decode()
    assert "unsafe" not in policy
    assert page.count("<style") == page.count(f'<style nonce="{nonce}">') == 1
    assert re.findall(r"<script(?! src=)", page) == []
