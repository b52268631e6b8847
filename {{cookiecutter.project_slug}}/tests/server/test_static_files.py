"""Static files as an image holds them: collected without a server, served by the real web role."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import brotli
import pytest

from scripts.servers import Postgres, Stack, Valkey
from tests.server.conftest import production_environment
from tests.server.roles import START_TIMEOUT, Running
from tests.stack import BASE_DIR, clean_environment, program

_PARTS = ("apps", "config", "core", "deploy", "scripts", "manage.py")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The service as `make static` leaves it, in a folder of its own."""
    copy = tmp_path_factory.mktemp("service")
    for part in _PARTS:
        if (BASE_DIR / part).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(BASE_DIR / part, copy / part, ignore=ignored)
        else:
            shutil.copy2(BASE_DIR / part, copy / part)
    # No variable of the service is set, and no server of this run is named.
    done = subprocess.run(
        [program("python"), "-m", "scripts.collect_static"],
        cwd=copy,
        env=clean_environment(PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return copy


@pytest.fixture(scope="module")
def manifest(service: Path) -> dict[str, str]:
    """Name in the source to name with the hash."""
    found: dict[str, str] = json.loads((service / "staticfiles/staticfiles.json").read_text())[
        "paths"
    ]
    return found


@pytest.fixture(scope="module")
def web(service: Path, servers: Stack, server_database: dict[str, str]) -> Iterator[Running]:
    env = production_environment(servers, server_database)
    running = Running(
        "web",
        [service / "scripts" / "start.sh", "web"],
        env | {"PYTHONDONTWRITEBYTECODE": "1"},
        cwd=service,
    )
    running.start()
    try:
        running.wait_until(running.answers, START_TIMEOUT)
        yield running
    finally:
        running.stop()


CSS = "admin/css/base.css"


def get(
    web: Running, manifest: dict[str, str], method: str = "GET", **headers: str
) -> tuple[HTTPResponse, bytes]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.request(method, "/static/" + manifest[CSS], headers=sent)


def test_every_file_has_its_hash_and_every_text_two_copies(
    service: Path, manifest: dict[str, str]
) -> None:
    assert len(manifest) > 100
    for name, hashed in manifest.items():
        assert re.fullmatch(r".+\.[0-9a-f]{12}(\.[^./]+)?", hashed), name
        assert (service / "staticfiles" / hashed).is_file()
    folder = service / "staticfiles"
    content = (folder / manifest[CSS]).read_bytes()
    assert hashlib.md5(content, usedforsecurity=False).hexdigest()[:12] in manifest[CSS]
    assert gzip.decompress((folder / (manifest[CSS] + ".gz")).read_bytes()) == content
    assert brotli.decompress((folder / (manifest[CSS] + ".br")).read_bytes()) == content


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("br, gzip", "br"),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("identity", None),
        ("", None),
    ],
)
def test_the_smallest_copy_that_the_client_takes_is_sent(
    service: Path, web: Running, manifest: dict[str, str], accepted: str, encoding: str | None
) -> None:
    response, body = get(web, manifest, Accept_Encoding=accepted)
    assert response.status == 200
    assert response.headers["Content-Encoding"] == encoding
    assert response.headers["Content-Type"] == 'text/css; charset="utf-8"'
    assert "Accept-Encoding" in response.headers["Vary"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    unpack: Any = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[encoding]
    assert unpack(body) == (service / "staticfiles" / manifest[CSS]).read_bytes()


def test_a_browser_keeps_a_file_for_a_year_and_finds_none_without_a_hash(
    web: Running, manifest: dict[str, str]
) -> None:
    response, _ = get(web, manifest)
    directives = set(response.headers["Cache-Control"].split(", "))
    assert directives == {"public", "max-age=31536000", "immutable"}
    assert web.get("/static/" + CSS)[0].status == 404


def test_a_file_that_a_browser_has_is_not_sent_again(
    web: Running, manifest: dict[str, str]
) -> None:
    response, _ = get(web, manifest, Accept_Encoding="br")
    for header in (
        {"If_None_Match": response.headers["ETag"]},
        {"If_Modified_Since": response.headers["Last-Modified"]},
    ):
        again, body = get(web, manifest, Accept_Encoding="br", **header)
        assert (again.status, body) == (304, b"")
        assert again.headers["ETag"] == response.headers["ETag"]
    assert get(web, manifest, If_None_Match='"other"')[0].status == 200


def test_head_says_what_get_would_and_a_range_is_a_part_of_it(
    web: Running, manifest: dict[str, str]
) -> None:
    response, body = get(web, manifest)
    head, nothing = get(web, manifest, "HEAD")
    assert (head.status, nothing) == (200, b"")
    assert head.headers["Content-Length"] == response.headers["Content-Length"] == str(len(body))
    part, content = get(web, manifest, Range="bytes=10-19")
    assert (part.status, content) == (206, body[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(body)}"
    assert get(web, manifest, Range="bytes=99999999-")[0].status == 416
    assert get(web, manifest, "POST")[0].status == 405


@pytest.mark.parametrize("path", ["../manage.py", "%2e%2e/manage.py", "none.css", "admin/"])
def test_nothing_else_is_a_static_file(web: Running, path: str) -> None:
    assert web.get("/static/" + path)[0].status == 404


def test_a_page_names_hashed_files(web: Running, manifest: dict[str, str]) -> None:
    _, body = web.get("/admin/login/", headers={"Host": "admin.service.test"})
    assert f"/static/{manifest[CSS]}".encode() in body


def test_a_static_file_needs_neither_database_nor_cache_nor_a_session(
    web: Running, manifest: dict[str, str], postgres: Postgres, cache_server: Valkey
) -> None:
    postgres.freeze()
    cache_server.freeze()
    response, body = get(web, manifest, Cookie="__Host-session=" + "x" * 32)
    assert response.status == 200
    assert body
    assert response.headers["Set-Cookie"] is None
