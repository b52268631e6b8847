"""Errors, robots.txt, security.txt and the favicon, as production sends them."""

from __future__ import annotations

import re
import time
from http.client import HTTPResponse

from scripts.servers import free_port
from tests.server.conftest import StartRole


def assert_page(answer: tuple[HTTPResponse, bytes], status: int, words: str) -> str:
    """Assert that it is the service's page for people, and return it."""
    response, body = answer
    page = body.decode()
    assert response.status == status, page
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    assert f"Error {status}" in page
    assert words in page
    assert f"<code>{response.headers['X-Request-ID']}</code>" in page
    nonce = re.search(r'<style nonce="([^"]+)">', page)
    assert nonce
    assert f"'nonce-{nonce[1]}'" in response.headers["Content-Security-Policy"]
    for trace in ("Traceback", "DEBUG", "Exception", "ValueError", 'File "'):
        assert trace not in page
    return page


def test_production_answers_people_with_pages_and_robots_with_files(start_role: StartRole) -> None:
    with start_role("web", env={"WEB_CONCURRENCY": "1"}) as web:
        assert_page(web.get("/nothing/"), 404, "Page not found")
        assert_page(web.get("/", headers={"Host": "evil.test"}), 400, "Bad request")
        assert_page(web.get("/admin/"), 404, "Page not found")
        admin = {"Host": "admin.service.test", "Origin": "https://evil.test"}
        posted = web.request("POST", "/admin/login/", body="a=1", headers=admin)
        assert_page(posted, 403, "Form out of date")
        problem, _ = web.get("/api/nothing/")
        assert problem.headers["Content-Type"] == "application/problem+json"

        response, body = web.get("/robots.txt")
        assert (response.status, body) == (200, b"User-agent: *\nDisallow: /api/\n")
        assert response.headers["X-Robots-Tag"] is None
        response, body = web.get("/robots.txt", headers={"Host": "admin.service.test"})
        assert body == b"User-agent: *\nDisallow: /\n"
        assert response.headers["X-Robots-Tag"] == "noindex, nofollow"

        response, body = web.get("/.well-known/security.txt")
        assert b"Contact: mailto:service@service.test\n" in body
        assert b"Canonical: https://service.test/.well-known/security.txt\n" in body
        response, body = web.get("/favicon.ico")
        assert (response.status, response.headers["Cache-Control"]) == (
            200,
            "public, max-age=604800",
        )
        # The development page, and everything it shows, is nobody's here.
        response, body = web.get("/")
        assert response.status == 200
        assert b"<table" not in body
        assert web.get("/home/live/")[0].status == 404


def test_a_failure_has_its_page_while_database_and_cache_are_dead(start_role: StartRole) -> None:
    dead = {
        "WEB_CONCURRENCY": "1",
        "DATABASE_URL": f"postgresql://app:x@127.0.0.1:{free_port()}/service",
        "CACHE_URL": f"redis://127.0.0.1:{free_port()}/0",
    }
    with start_role("web", "tests.testapp.failing:application", env=dead) as web:
        began = time.monotonic()
        # A session cookie: whoever would look at the user would ask cache and database.
        cookie = {"Cookie": "__Host-session=" + "a" * 32}
        page = assert_page(web.get("/fail/secret", headers=cookie), 500, "Something went wrong")
        assert time.monotonic() - began < 2
        assert "secret" not in page
        assert_page(web.get("/nothing/", headers=cookie), 404, "Page not found")
        assert_page(web.get("/unavailable/"), 503, "Not available")


def test_search_engines_stay_out_of_staging(start_role: StartRole) -> None:
    staging = {"WEB_CONCURRENCY": "1", "DJANGO_SETTINGS_MODULE": "config.settings.staging"}
    with start_role("web", env=staging) as web:
        _, body = web.get("/robots.txt")
        assert body == b"User-agent: *\nDisallow: /\n"
        for path in ("/", "/nothing/", "/api/v1/session/", "/favicon.svg"):
            assert web.get(path)[0].headers["X-Robots-Tag"] == "noindex, nofollow", path
