"""What a proxy in front of the real web process is told to keep."""

from __future__ import annotations

from tests.server.conftest import StartRole


def test_every_answer_says_so_and_a_second_question_has_no_body(start_role: StartRole) -> None:
    with start_role("web", env={"WEB_CONCURRENCY": "1"}) as web:
        first, body = web.get("/api/schema/")
        again, nothing = web.get("/api/schema/", headers={"If-None-Match": first.headers["ETag"]})
        head, _ = web.request("HEAD", "/api/schema/")
        plain, _ = web.get("/api/schema/", headers={"X-Forwarded-Proto": "http"})
        missing, _ = web.get("/nothing/")
        probe, _ = web.get("/livez")
    assert (first.status, bool(body)) == (200, True)
    assert (again.status, nothing) == (304, b"")
    assert again.headers["ETag"] == head.headers["ETag"] == first.headers["ETag"]
    assert (plain.status, plain.headers["Location"][:8]) == (301, "https://")
    for response in (first, again, head, plain, missing, probe):
        assert response.headers["Cache-Control"] == "no-store"
