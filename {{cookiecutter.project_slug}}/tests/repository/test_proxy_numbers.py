"""The numbers of deploy/nginx agree with those of the processes behind it."""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from core.api import uploads
from tests.repository.test_server_numbers import PROXY_READ

NGINX = Path(__file__).resolve().parents[2] / "deploy" / "nginx"
UNITS = {"": 1, "k": 1024, "m": 1024**2, "s": 1}


def value(name: str) -> int:
    """The last value of the directive, in bytes or seconds, wherever it stands first."""
    for path in sorted(NGINX.glob("*.conf")):
        if found := re.search(rf"^\s*{name} (?:\d+ )?(\d+)([kms]?);", path.read_text(), re.M):
            return int(found[1]) * UNITS[found[2]]
    raise AssertionError(f"deploy/nginx sets no {name}")


@pytest.fixture(scope="module")
def gunicorn() -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.logs.configuration.apply", lambda config: None)
        return runpy.run_path(str(NGINX.parents[1] / "config" / "gunicorn.py"))


def test_reading_waits_longer_than_a_worker_and_a_stopping_proxy_longer_than_reading(
    gunicorn: dict[str, Any],
) -> None:
    assert gunicorn["timeout"] < value("proxy_read_timeout") == PROXY_READ
    assert value("worker_shutdown_timeout") > PROXY_READ


def test_an_idle_connection_is_not_kept_by_the_number_of_a_slow_answer() -> None:
    # A balancer keeps one for 60 s and must close it first; an answer is awaited for less.
    assert value("proxy_read_timeout") < 60 < value("keepalive_timeout")


def test_a_line_that_nginx_lets_through_is_one_that_gunicorn_takes(
    gunicorn: dict[str, Any],
) -> None:
    # nginx counts the line's end, and its buffer must hold the whole line.
    assert value("large_client_header_buffers") <= gunicorn["limit_request_line"] + 2


def classes(of: type) -> Iterator[type]:
    for each in of.__subclasses__():
        yield each
        yield from classes(each)


def test_every_upload_of_the_api_fits_through_the_proxy() -> None:
    import_module(settings.ROOT_URLCONF)
    views = [each for each in classes(uploads.UploadView) if each.__module__.startswith("apps.")]
    most = [view.max_upload_bytes for view in views]
    for size in [10 * 1024**2, *most]:
        assert value("client_max_body_size") >= size + uploads._FORM
    assert value("client_max_body_size") > settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def test_who_closes_a_kept_connection_first_is_who_sends_on_it() -> None:
    upstreams = (NGINX / "upstreams.conf").read_text()
    kept = re.search(r"keepalive_timeout (\d+)s;", upstreams)
    asgi = (NGINX.parents[1] / "config" / "asgi.py").read_text()
    uvicorn = re.search(r"timeout_keep_alive=(\d+)", asgi)
    assert kept
    assert uvicorn
    assert int(kept[1]) < int(uvicorn[1])


@pytest.mark.parametrize(
    "needed", ["worker_processes auto", "tcp_nopush on", "tcp_nodelay on", "server_tokens off"]
)
def test_what_no_request_can_show_is_set(needed: str) -> None:
    assert f"{needed};" in (NGINX / "nginx.conf").read_text()


@pytest.mark.parametrize("sticky", ["ip_hash", "hash", "sticky"])
def test_no_client_is_bound_to_a_process(sticky: str) -> None:
    assert not re.search(rf"^\s*{sticky}\b", (NGINX / "upstreams.conf").read_text(), re.M)
