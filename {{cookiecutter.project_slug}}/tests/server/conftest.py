"""The real commands with production settings, on free ports, against a database of their own.

    def test_it_answers(start_role: StartRole) -> None:
        with start_role("web", env={"WEB_CONCURRENCY": "1"}) as web:
            response, body = web.get("/livez")
            assert response.status == 200
            assert web.logs[0]["message"]  # every line of stdout as JSON
            web.wait_for_line("request")     # or a predicate
            web.signal(signal.SIGHUP)
            web.get("/livez", port=web.metrics_port)
        assert web.process.returncode == 0

`start_role(role, *arguments, env=None, ready=None)` runs scripts/start.sh and yields a `Role`
(tests/server/roles.py) when it is ready: web and asgi when HTTP answers, worker, beat and relay
when their banner is printed; `ready=lambda role: True` does not wait (for a start that must fail,
then `role.wait_for_exit()`). `env` is added to `production_env`; a value of "" removes a variable.
The database is `server_tests`, migrated; it is not emptied between tests, and the processes commit.

`start_streams(env=None)` runs the asgi process with the views of tests/testapp/streams.py.
"""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

import pytest

from scripts.servers import Stack, free_port
from tests.server.roles import START_TIMEOUT, Role, Running
from tests.stack import BASE_DIR, clean_environment, migrate, program

StartRole = Callable[..., AbstractContextManager[Role]]
StartStreams = Callable[..., AbstractContextManager[Running]]
DATABASE = "server_tests"
# For a test that races the exits of workers: writing down the lines that ran lengthens each exit.
UNMEASURED = {"COVERAGE_PROCESS_CONFIG": ""}

READY: dict[str, Callable[[Role], bool]] = {
    "web": Role.answers,
    "asgi": Role.answers,
    "worker": lambda role: any(" ready." in line for line in role.lines),
    "beat": lambda role: any("beat: Starting" in line for line in role.lines),
    "relay": lambda role: any("relay started" in line for line in role.lines),
}


@pytest.fixture(scope="session")
def server_database(servers: Stack) -> dict[str, str]:
    """DATABASE_URL and DATABASE_DIRECT_URL of a migrated database that only processes use."""
    assert servers.postgres
    servers.postgres.create_database(DATABASE)
    migrate(DATABASE)
    return {
        "DATABASE_URL": (servers.pgbouncer or servers.postgres).url("app", database=DATABASE),
        "DATABASE_DIRECT_URL": servers.postgres.url("migrator", database=DATABASE),
    }


@pytest.fixture
def production_env(servers: Stack, server_database: dict[str, str]) -> dict[str, str]:
    """A complete, valid environment of production, with free ports; yours to change."""
    return production_environment(servers, server_database)


def production_environment(servers: Stack, server_database: dict[str, str]) -> dict[str, str]:
    """As the fixture `production_env`, for a fixture of a module or a session."""
    return clean_environment(
        **servers.variables
        | server_database
        | {
            "DJANGO_SETTINGS_MODULE": "config.settings.production",
            "SERVICE_NAME": "service-under-test",
            "SECRET_KEY": secrets.token_urlsafe(48),
            "ALLOWED_HOSTS": "service.test",
            "ADMIN_HOST": "admin.service.test",
            "CSRF_TRUSTED_ORIGINS": "https://service.test",
            "FORWARDED_ALLOW_IPS": "127.0.0.1",
            "S3_BUCKET": "service-media",
            # Nothing listens there, as nothing asks it; a test of uploads names its own.
            "S3_ENDPOINT_URL": f"https://127.0.0.1:{free_port()}",
            "S3_ACCESS_KEY_ID": "TESTKEY",
            "S3_SECRET_ACCESS_KEY": secrets.token_hex(20),
            "EMAIL_URL": f"smtp+tls://user:password@127.0.0.1:{free_port()}",
            "DEFAULT_FROM_EMAIL": "service@service.test",
            "RELEASE": "test-release",
            "WEB_CONCURRENCY": "2",
            "THREADS": "4",
            "PORT": str(free_port()),
            "ASGI_PORT": str(free_port()),
            "METRICS_PORT": str(free_port()),
        }
    )


@pytest.fixture
def start_role(production_env: dict[str, str]) -> Iterator[StartRole]:
    """See this module's docstring. What a test leaves running is stopped after it."""
    started: list[Role] = []

    @contextmanager
    def start(
        name: str,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        ready: Callable[[Role], bool] | None = None,
    ) -> Iterator[Role]:
        merged = {k: v for k, v in {**production_env, **(env or {})}.items() if v != ""}
        role = Role(name, arguments, merged)
        started.append(role)
        role.start()
        is_ready = ready or READY[name]
        role.wait_until(lambda: is_ready(role), START_TIMEOUT)
        try:
            yield role
        finally:
            role.stop()

    yield start
    for role in started:
        role.stop()


@pytest.fixture
def start_streams(production_env: dict[str, str]) -> StartStreams:
    """See this module's docstring; it is ready when its probe says so."""

    @contextmanager
    def start(env: Mapping[str, str] | None = None) -> Iterator[Running]:
        command = [sys.executable, "-m", "tests.testapp.streams"]
        role = Running("asgi", command, {**production_env, **(env or {})})
        role.start()
        try:
            role.wait_until(
                lambda: role.answers() and role.get("/readyz")[0].status == 200, START_TIMEOUT
            )
            yield role
        finally:
            role.stop()

    return start


@pytest.fixture
def manage(production_env: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`manage("check", "--deploy", env={...})` under production settings; never raises."""

    def run(
        *arguments: str, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        merged = {k: v for k, v in {**production_env, **(env or {})}.items() if v != ""}
        return subprocess.run(
            [program("python"), BASE_DIR / "manage.py", *arguments],
            env=merged,
            cwd=BASE_DIR,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run


@pytest.fixture
def email(manage: Callable[..., subprocess.CompletedProcess[str]]) -> str:
    """The address of a new user of these processes; the password is `PASSWORD`."""
    from tests.factories import PASSWORD  # models, which need a Django that is set up

    address = f"{secrets.token_hex(4)}@example.org"
    statement = f"User.objects.create_user({address!r}, {PASSWORD!r})"
    done = manage("shell", "-c", f"from apps.users.models import User; {statement}")
    assert done.returncode == 0, done.stderr
    return address
