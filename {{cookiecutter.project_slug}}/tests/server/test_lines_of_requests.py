"""What a request leaves on the stdout of the real web process, whatever its client sends.

The process is shared by the tests of this module; each reads the lines of its own request ids, and
`web.logs` fails where any line is no JSON.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from scripts.servers import Stack
from tests.server.conftest import production_environment
from tests.server.roles import Role

FORGED = '{"level":"critical","message":"forged"}'
HOSTILE = {
    "line break": "\n" + FORGED,
    "carriage return and line break": "\r\n" + FORGED,
    "ANSI": "\x1b[2K\x1b[31m",
    "next line": "\x85" + FORGED,
    "line separator": "\u2028" + FORGED,
    "bidirectional override": "\u202e",
    "JSON": '"}\n' + FORGED,
    "long": "x" * 7000,
}


@pytest.fixture(scope="module")
def web(servers: Stack, server_database: dict[str, str]) -> Iterator[Role]:
    """gunicorn as in production, with views that fail."""
    environment = production_environment(servers, server_database)
    role = Role("web", ("tests.testapp.failing:application",), environment)
    role.start()
    try:
        role.wait_until(role.answers)
        yield role
    finally:
        role.stop()


@pytest.fixture
def request_id() -> str:
    return uuid4().hex


def lines_of(role: Role, request_id: str) -> list[dict[str, Any]]:
    """The lines of one request, its access line included, which is the last."""
    role.wait_for_line(lambda line: request_id in line and '"logger":"request"' in line)
    return [line for line in role.logs if line.get("request_id") == request_id]


@pytest.mark.parametrize(
    ("name", "path"), [("start_role", "/api/schema/"), ("start_streams", "/stream/loop/")]
)
def test_a_request_is_one_access_line(
    name: str, path: str, request: pytest.FixtureRequest, request_id: str
) -> None:
    start = request.getfixturevalue(name)
    with start("web") if name == "start_role" else start() as role:
        headers = {"X-Request-ID": request_id, "X-Forwarded-For": "203.0.113.9"}
        response, _ = role.get(path + "?token=secret", headers=headers)
        assert response.headers["X-Request-ID"] == request_id
        (line,) = lines_of(role, request_id)
    assert (line["method"], line["path"], line["status"]) == ("GET", path, 200)
    assert (line["route"], line["client"]) == (path[1:], "203.0.113.9")
    assert line["duration_ms"] > 0
    assert not any("secret" in line for line in role.lines)


def test_a_500_prints_its_traceback_in_one_line_with_the_id_of_its_request(
    web: Role, request_id: str
) -> None:
    response, _ = web.get("/fail/broken", headers={"X-Request-ID": request_id})
    failure, access = lines_of(web, request_id)
    assert response.status == 500
    assert (failure["level"], failure["logger"]) == ("error", "django.request")
    assert failure["exception"].startswith("Traceback (most recent call last):\n")
    assert failure["exception"].endswith("ValueError: broken")
    assert (access["level"], access["status"]) == ("error", 500)


def test_a_503_without_a_traceback_is_one_line(web: Role, request_id: str) -> None:
    web.get("/unavailable/", headers={"X-Request-ID": request_id})
    after, _ = web.get("/log/after")
    lines_of(web, after.headers["X-Request-ID"])
    (line,) = lines_of(web, request_id)
    assert (line["status"], line["level"]) == (503, "error")


def test_a_stream_logs_with_its_id_and_is_one_access_line_at_its_end(
    web: Role, request_id: str
) -> None:
    _, body = web.get("/stream/", headers={"X-Request-ID": request_id})
    streaming, access = lines_of(web, request_id)
    assert body == b"part"
    assert streaming["message"] == "streaming"
    assert (access["path"], access["status"]) == ("/stream/", 200)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_text_of_a_client_makes_a_line(web: Role, text: str, request_id: str) -> None:
    headers = {"X-Request-ID": request_id}
    written, _ = web.get("/log/" + quote(text), headers=headers)
    by_us, by_library, access = lines_of(web, request_id)
    assert by_us["username"] == text
    assert by_us["message"] == by_library["message"] == "login of " + text
    assert (written.status, access["path"]) == (200, "/log/" + text)
    assert not any(line["message"] == "forged" for line in web.logs)
    # A reader may take any of these for the end of a line, and a terminal obeys the others.
    assert not set("\r\x00\x1b\x85\u2028\u2029\u202e") & set("".join(web.lines))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_text_of_an_exception_makes_a_line(web: Role, text: str, request_id: str) -> None:
    failed, _ = web.get("/fail/" + quote(text), headers={"X-Request-ID": request_id})
    failure, access = lines_of(web, request_id)
    assert failure["exception"].endswith("ValueError: " + text)
    assert (failed.status, access["path"]) == (500, "/fail/" + text)
    assert not any(line["message"] == "forged" for line in web.logs)
    assert not set("\r\x00\x1b\x85\u2028\u2029\u202e") & set("".join(web.lines))


def test_a_path_with_a_nul_is_refused_in_one_line(web: Role, request_id: str) -> None:
    response, _ = web.get("/log/%00" + quote(FORGED), headers={"X-Request-ID": request_id})
    (line,) = lines_of(web, request_id)
    assert response.status == line["status"] == 400
    assert line["path"] == "/log/\x00" + FORGED


@pytest.mark.parametrize(
    "forged", ["short", "x" * 129, "x" * 8000, "a b c d e f", '"},{"a":"b"}', "a\x85bcdefgh"]
)
def test_a_forged_id_is_replaced_before_anything_is_logged(web: Role, forged: str) -> None:
    response, _ = web.get("/log/x", headers={"X-Request-ID": forged.encode("latin-1")})
    given = response.headers["X-Request-ID"]
    assert len(given) == 32
    assert len(lines_of(web, given)) == 3
    assert not any(line.get("request_id") == forged for line in web.logs)
    assert not any('"request_id":"' + forged in line for line in web.lines)


@pytest.mark.parametrize(("forged", "status"), [("y" * 10_240, 431), ("\x1b[31mred-red", 400)])
def test_an_id_that_is_no_legal_header_is_refused_in_one_line(
    web: Role, forged: str, status: int
) -> None:
    before = len(web.logs)
    response, _ = web.get("/log/x", headers={"X-Request-ID": forged})
    assert response.status == status
    web.wait_until(lambda: len(web.logs) > before)
    (refusal,) = web.logs[before:]
    assert refusal["message"].startswith("Invalid request")
    assert len(refusal["message"]) < 1000
