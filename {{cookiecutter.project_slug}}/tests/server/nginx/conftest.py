"""The real nginx with the files of deploy/nginx, in front of the real gunicorn and uvicorn."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from scripts.servers import Nginx, Stack, find_nginx, free_port
from tests.server.conftest import production_environment
from tests.server.nginx.client import Client
from tests.server.roles import START_TIMEOUT, Role, Running
from tests.stack import BASE_DIR, program

StartProxy = Callable[..., AbstractContextManager[Nginx]]
# As `make static` names it: the hash is part of the name.
STATIC = {"app.0123456789ab.css": b"body { margin: 0; }\n" * 100}


@pytest.fixture(scope="session")
def error_files(tmp_path_factory: pytest.TempPathFactory, service_env: dict[str, str]) -> Path:
    """What `manage.py error_pages` makes at the build."""
    folder = tmp_path_factory.mktemp("errors")
    done = subprocess.run(
        [program("python"), BASE_DIR / "manage.py", "error_pages", folder, "--ssi", "ident"],
        env=service_env,
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def service_env(servers: Stack, server_database: dict[str, str]) -> dict[str, str]:
    return production_environment(servers, server_database)


@pytest.fixture(scope="session")
def web(service_env: dict[str, str]) -> Iterator[Running]:
    role = Role("web", ("tests.testapp.behind_proxy:application",), service_env)
    yield from running(role)


@pytest.fixture(scope="session")
def asgi(service_env: dict[str, str]) -> Iterator[Running]:
    env = service_env | {"METRICS_PORT": str(free_port())}
    yield from running(Running("asgi", [sys.executable, "-m", "tests.testapp.streams"], env))


def running(role: Running) -> Iterator[Running]:
    role.start()
    try:
        role.wait_until(role.answers, START_TIMEOUT)
        yield role
    finally:
        role.stop()


@pytest.fixture(scope="session")
def start_proxy(
    tmp_path_factory: pytest.TempPathFactory, error_files: Path
) -> Callable[..., AbstractContextManager[Nginx]]:
    """`start_proxy(web=[port])`, with further arguments of `Nginx`. Skipped without nginx."""
    if not find_nginx():
        pytest.skip("nginx is not installed")

    @contextmanager
    def start(**options: Any) -> Iterator[Nginx]:
        proxy = Nginx(tmp_path_factory.mktemp("nginx"), **options)
        fill(proxy, error_files)
        with proxy:
            yield proxy

    return start


def fill(proxy: Nginx, error_files: Path) -> None:
    """Put the files of a build where the proxy sends them from."""
    (proxy.directory / "__error").symlink_to(error_files)
    folder = proxy.directory / "static"
    folder.mkdir()
    for name, content in STATIC.items():
        (folder / name).write_bytes(content)
        # Copies that are told apart from the original and from what nginx would compress itself.
        (folder / f"{name}.gz").write_bytes(b"the gzip copy")
        (folder / f"{name}.br").write_bytes(b"the brotli copy")
    (folder / "staticfiles.json").write_text("{}")


@pytest.fixture(scope="session")
def proxy(start_proxy: StartProxy, web: Running, asgi: Running) -> Iterator[Nginx]:
    """In front of both processes; it believes a balancer on 127.0.0.1."""
    with start_proxy(web=[web.port], asgi=[asgi.port]) as started:
        yield started


@pytest.fixture
def client(proxy: Nginx) -> Client:
    """Somebody of the world, who comes by TLS and is not believed."""
    return Client(proxy)
