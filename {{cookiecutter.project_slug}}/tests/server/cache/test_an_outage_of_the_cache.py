"""The cache killed and frozen under load: nobody sees an error, waits for it or is logged out.

Measured by `pytest -s tests/server/cache` on two busy cores, 66 requests a second in four threads;
a user's request in milliseconds, median / 95 of 100:

            before         breaker open    open after    used again after
    killed  14.6 / 68.1    15.2 / 80.7     0.1 s         0.9 s
    frozen  12.5 / 18.5     9.4 / 19.3     1.6 s         1.0 s
    frozen, without the breaker:  1017 / 1032
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median, quantiles

import pytest
import redis

from scripts.servers import Valkey
from tests.factories import PASSWORD
from tests.server.browser import SESSION, Browser
from tests.server.conftest import UNMEASURED, StartRole
from tests.server.roles import Role

OPENED = "cache breaker opened"
APPLICATION = "tests.testapp.unthrottled:application"
WORKERS = 2
SAMPLES = 200
ADDED = 0.250  # seconds, at most, once the breaker is open; a timeout each adds 1 s (above)
RECOVERY = 5.0  # seconds from the cache's return until it is used again
TIMEOUT = 0.3  # seconds, the shorter one of the client
PACE = 0.06  # seconds from one request of a thread to its next


@dataclass(frozen=True)
class Answer:
    began: float
    seconds: float
    status: int
    is_user: bool
    is_right: bool


class Load:
    """Requests at a constant pace: three threads of a user, one of visitors."""

    def __init__(self, web: Role, user: Browser) -> None:
        self._web = web
        self._cookie = user.cookie
        self._ended = threading.Event()
        self.answers: list[Answer] = []

    def run(self, is_user: bool) -> None:
        headers = {"Cookie": self._cookie} if is_user else {}
        due = time.monotonic()
        while not self._ended.wait(max(0.0, due - time.monotonic())):
            due = max(due, time.monotonic() - 1) + PACE
            began = time.monotonic()
            response, body = self._web.get(SESSION, headers=headers)
            seconds = time.monotonic() - began
            is_known = response.status == 200 and json.loads(body)["user"] is not None
            is_right = is_known == is_user
            self.answers.append(Answer(began, seconds, response.status, is_user, is_right))

    def end(self) -> None:
        self._ended.set()

    def sample(self) -> list[float]:
        """The seconds of the user's next `SAMPLES` requests: visitors have nothing cached."""
        now = time.monotonic()

        def found() -> list[float]:
            return [each.seconds for each in self.answers if each.is_user and each.began >= now]

        wait_until(lambda: len(found()) >= SAMPLES, 60)
        return found()


@contextmanager
def load(web: Role, user: Browser) -> Iterator[Load]:
    running = Load(web, user)
    threads = [
        threading.Thread(target=running.run, args=[number > 0], daemon=True) for number in range(4)
    ]
    for thread in threads:
        thread.start()
    try:
        yield running
    finally:
        running.end()
        for thread in threads:
            thread.join(15)


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s"
        time.sleep(0.02)


def told(web: Role, message: str) -> list[str]:
    return [line for line in web.lines if message in line]


def open_in(web: Role) -> set[int]:
    """The processes whose breaker is open. A slow machine opens one for a moment at any time."""
    is_open = {}
    for line in told(web, "cache breaker"):
        is_open[json.loads(line)["pid"]] = OPENED in line
    return {pid for pid, value in is_open.items() if value}


def hits(server: Valkey) -> int:
    with redis.Redis.from_url(server.url) as client:
        return int(client.info("stats")["keyspace_hits"])


@pytest.mark.parametrize("fault", ["killed", "frozen"])
def test_an_outage_costs_no_error_no_login_and_no_time(
    fault: str, start_role: StartRole, cache_server: Valkey, email: str
) -> None:
    two = {"WEB_CONCURRENCY": str(WORKERS), **UNMEASURED}
    with start_role("web", APPLICATION, env=two) as web:
        user = Browser(web)
        user.log_in(email, PASSWORD)
        with load(web, user) as traffic:
            before = traffic.sample()

            cache_server.kill() if fault == "killed" else cache_server.freeze()
            began = time.monotonic()
            wait_until(lambda: len(open_in(web)) == WORKERS, 10)
            opened = time.monotonic()
            changes = told(web, "cache breaker")
            during = traffic.sample()
            # None closed, or opened again, while there was no cache.
            assert told(web, "cache breaker") == changes

            cache_server.start() if fault == "killed" else cache_server.thaw()
            back = time.monotonic()
            wait_until(lambda: not open_in(web), RECOVERY)
            seen = hits(cache_server)
            wait_until(lambda: hits(cache_server) > seen, RECOVERY)
            recovered = time.monotonic() - back
            after = traffic.sample()
        assert user.is_logged_in()
        lines = told(web, "cache breaker") + told(web, "The cache does not answer")

    slowest = max(answer.seconds for answer in traffic.answers)
    print(
        f"\n{fault}: before {shown(before)}, open after {opened - began:.1f} s, "
        f"slowest {slowest * 1000:.0f}, while open {shown(during)}, "
        f"used again after {recovered:.1f} s, {shown(after)}; {len(lines)} lines"
    )
    assert [answer.status for answer in traffic.answers if answer.status >= 500] == []
    assert all(answer.is_right for answer in traffic.answers)
    assert median(during) < median(before) + ADDED
    assert recovered < RECOVERY
    # Nobody pays a timeout once the breaker is open; a busy machine slows some all the same.
    assert quantiles(during, n=5)[-1] < TIMEOUT


def shown(seconds: list[float]) -> str:
    return f"{median(seconds) * 1000:.1f} / {quantiles(seconds, n=20)[-1] * 1000:.1f}"
