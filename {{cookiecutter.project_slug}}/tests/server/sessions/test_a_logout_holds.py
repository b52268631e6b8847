"""Two services with two workers each share sessions; the cache comes back with what it held.

Every test asserts that the cache does hold the ended session: without the comparison in
`core.sessions.middleware` each of them fails on its first request.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import redis

from scripts.servers import HOST, Valkey, free_port
from tests.factories import PASSWORD
from tests.server.browser import Browser
from tests.server.conftest import StartRole
from tests.server.roles import Role

UNTHROTTLED = "tests.testapp.unthrottled:application"
REQUESTS = 60  # to each service, four at a time, so that both workers answer


@pytest.fixture
def persistent(tmp_path: Path) -> Iterator[Valkey]:
    """A cache that writes an append-only file: killed, it comes back with its data."""
    with Valkey(tmp_path / "valkey", "broker") as server:
        yield server
        server.thaw()


@pytest.fixture
def services(start_role: StartRole, persistent: Valkey) -> Iterator[tuple[Role, Role]]:
    with (
        start_role("web", UNTHROTTLED, env=away_from_each_other(persistent.url)) as one,
        start_role("web", UNTHROTTLED, env=away_from_each_other(persistent.url)) as other,
    ):
        yield one, other


def away_from_each_other(cache_url: str) -> dict[str, str]:
    return {
        "PORT": str(free_port()),
        "METRICS_PORT": str(free_port()),
        "CACHE_URL": cache_url,
        "LOG_LEVEL": "WARNING",
    }


def answers_as_a_user(browser: Browser) -> int:
    """Of many requests with this cookie, so many at a time that every worker gets some."""

    def ask(_: int) -> bool:
        return browser.elsewhere(browser.web).is_logged_in()

    with ThreadPoolExecutor(4) as threads:
        return sum(threads.map(ask, range(REQUESTS)))


def holds(cache: Valkey, browser: Browser) -> bool:
    with redis.Redis.from_url(cache.url) as client:
        return any(browser.session_key.encode() in key for key in client.scan_iter())


def warm(browsers: list[Browser]) -> None:
    for browser in browsers:
        assert answers_as_a_user(browser) == REQUESTS


def test_a_login_on_one_service_is_known_to_the_other(
    services: tuple[Role, Role], email: str
) -> None:
    one, other = services
    browser = Browser(one)
    browser.log_in(email, PASSWORD)

    assert browser.elsewhere(other).is_logged_in()
    browser.elsewhere(other).log_out()
    assert not browser.is_logged_in()


@pytest.mark.parametrize("fault", ["frozen", "killed"])
def test_a_logout_while_the_cache_was_away_holds_when_it_is_back(
    fault: str, services: tuple[Role, Role], persistent: Valkey, email: str
) -> None:
    one, other = services
    leaving, staying = Browser(one), Browser(one)
    for browser in (leaving, staying):
        browser.log_in(email, PASSWORD)
        warm([browser, browser.elsewhere(other)])
    copies = [leaving.elsewhere(one), leaving.elsewhere(other)]

    if fault == "frozen":
        persistent.freeze()
        leaving.log_out()
        persistent.thaw()
    else:
        persistent.kill()
        leaving.log_out()
        persistent.start()

    assert [answers_as_a_user(copy) for copy in copies] == [0, 0]
    assert holds(persistent, copies[0])
    # The user's session in another browser is none of this.
    warm([staying.elsewhere(one), staying.elsewhere(other)])


def test_a_logout_holds_whose_delete_alone_was_lost_in_the_network(
    start_role: StartRole, persistent: Valkey, email: str
) -> None:
    with (
        Lossy(persistent.port) as network,
        start_role(
            "web", UNTHROTTLED, env=away_from_each_other(f"redis://{HOST}:{network.port}/0")
        ) as one,
        start_role("web", UNTHROTTLED, env=away_from_each_other(persistent.url)) as other,
    ):
        browser = Browser(one)
        browser.log_in(email, PASSWORD)
        copies = [browser.elsewhere(one), browser.elsewhere(other)]
        warm(copies)

        network.lose_one_delete()
        browser.log_out()

        assert network.lost == 1
        assert [answers_as_a_user(copy) for copy in copies] == [0, 0]
        assert holds(persistent, copies[0])


def test_a_password_changed_while_the_cache_was_frozen_ends_every_session(
    services: tuple[Role, Role],
    persistent: Valkey,
    email: str,
    manage: Callable[..., CompletedProcess[str]],
) -> None:
    one, other = services
    browser = Browser(one)
    browser.log_in(email, PASSWORD)
    copies = [browser.elsewhere(one), browser.elsewhere(other)]
    warm(copies)

    persistent.freeze()
    done = manage(
        "shell",
        "-c",
        f"from apps.users.models import User; user = User.objects.get(email={email!r}); "
        "user.set_password('another long enough password'); user.save()",
    )
    assert done.returncode == 0, done.stderr
    persistent.thaw()

    assert holds(persistent, browser)
    assert [answers_as_a_user(copy) for copy in copies] == [0, 0]


class Lossy:
    """A network path to the cache that loses a DEL on its way, once, when told to."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server((HOST, 0))
        self._sockets = [self._listener]
        self._lock = threading.Lock()
        self._loses = False
        self.port: int = self._listener.getsockname()[1]
        self.lost = 0

    def lose_one_delete(self) -> None:
        self._loses = True

    def __enter__(self) -> Lossy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection((HOST, self._to))
                self._sockets += [client, server]
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=self._carry, args=[source, sink], daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not self._is_lost(data):
                    sink.sendall(data)
            sink.shutdown(socket.SHUT_RDWR)

    def _is_lost(self, data: bytes) -> bool:
        with self._lock:
            if self._loses and b"\r\nDEL\r\n" in data:
                self._loses = False
                self.lost += 1
                return True
        return False
