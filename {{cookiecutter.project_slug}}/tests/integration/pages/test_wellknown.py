"""robots.txt, security.txt and the favicon."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client

PUBLIC, ADMIN = "shop.test", "admin.shop.test"


@pytest.fixture(autouse=True)
def _hosts(settings: Any) -> None:
    settings.ALLOWED_HOSTS = [PUBLIC, ADMIN]
    settings.ADMIN_HOST = ADMIN
    settings.INDEXED = True


def robots(client: Client, host: str = PUBLIC) -> str:
    response = client.get("/robots.txt", headers={"host": host})
    assert response.headers["Content-Type"].startswith("text/plain")
    assert response.headers["Cache-Control"] == "public, max-age=3600"
    return response.content.decode()


def security(client: Client) -> dict[str, str]:
    response = client.get("/.well-known/security.txt", headers={"host": PUBLIC}, secure=True)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["Cache-Control"] == "public, max-age=86400"
    lines = response.content.decode().splitlines()
    fields = dict(line.split(": ", 1) for line in lines)
    assert len(fields) == len(lines)
    return fields


def test_search_engines_may_read_the_public_host_but_for_the_api(client: Client) -> None:
    assert robots(client) == "User-agent: *\nDisallow: /api/\n"
    assert "X-Robots-Tag" not in client.get("/", headers={"host": PUBLIC})


@pytest.mark.django_db  # the admin's login form asks for a session
@pytest.mark.parametrize("host", [ADMIN, ADMIN.upper(), f"{ADMIN}:8443"])
def test_search_engines_stay_out_of_the_admin_host(client: Client, host: str) -> None:
    assert robots(client, host) == "User-agent: *\nDisallow: /\n"
    for path in ("/", "/admin/login/", "/nothing/", "/static/admin/css/base.css"):
        response = client.get(path, headers={"host": host})
        response.close()  # one is a stream
        assert response.headers["X-Robots-Tag"] == "noindex, nofollow", path


def test_search_engines_stay_out_where_nothing_is_indexed(client: Client, settings: Any) -> None:
    settings.INDEXED = False
    assert robots(client) == "User-agent: *\nDisallow: /\n"
    for path in ("/", "/nothing/", "/api/docs/"):
        response = client.get(path, headers={"host": PUBLIC})
        assert response.headers["X-Robots-Tag"] == "noindex, nofollow", path


def test_security_txt_says_where_it_stands_and_ends_within_a_year(client: Client) -> None:
    fields = security(client)
    assert set(fields) == {"Contact", "Expires", "Preferred-Languages", "Canonical"}
    assert fields["Canonical"] == f"https://{PUBLIC}/.well-known/security.txt"
    assert fields["Preferred-Languages"] == "en"
    ends = datetime.strptime(fields["Expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert timedelta(days=30) < ends - datetime.now(UTC) < timedelta(days=365)


def test_security_txt_names_the_contact_that_was_declared(client: Client, settings: Any) -> None:
    settings.SECURITY_CONTACT = "https://shop.test/security"
    assert security(client)["Contact"] == "https://shop.test/security"


def test_without_one_it_names_the_sender_of_our_mail(client: Client, settings: Any) -> None:
    settings.SECURITY_CONTACT = None
    settings.DEFAULT_FROM_EMAIL = "The shop <shop@shop.test>"
    assert security(client)["Contact"] == "mailto:shop@shop.test"


def test_the_favicon_is_there_and_kept_for_a_week(client: Client) -> None:
    svg = client.get("/favicon.svg", headers={"host": PUBLIC})
    ico = client.get("/favicon.ico", headers={"host": PUBLIC})
    assert svg.headers["Content-Type"] == "image/svg+xml"
    assert ElementTree.fromstring(svg.content).tag.endswith("svg")  # noqa: S314 - our own file
    # ICO's header: reserved, type 1 (an icon), and three pictures in it.
    assert struct.unpack("<HHH", ico.content[:6]) == (0, 1, 3)
    for response in (svg, ico):
        assert response.headers["Cache-Control"] == "public, max-age=604800"
        assert len(response.content) < 6_000


@pytest.mark.parametrize("path", ["/robots.txt", "/.well-known/security.txt", "/favicon.ico"])
def test_they_are_read_only(client: Client, path: str) -> None:
    assert client.post(path, headers={"host": PUBLIC}).status_code == 405
