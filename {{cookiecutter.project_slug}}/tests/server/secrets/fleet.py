"""Two web processes that are replaced one after the other, as a rolling release does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from itertools import count

from scripts.servers import free_port
from tests.server.conftest import StartRole
from tests.server.roles import Role

UNTHROTTLED = "tests.testapp.unthrottled:application"


class Fleet:
    """Takes requests in turn. A process leaves only when its successor answers."""

    def __init__(self, start_role: StartRole, environment: Mapping[str, str]) -> None:
        self._start_role = start_role
        self._turn = count()
        self._running = [self._start(environment) for _ in range(2)]

    def next(self) -> Role:
        """The one whose turn it is; two requests after each other meet both."""
        _, role = self._running[next(self._turn) % 2]
        return role

    def replace(self, which: int, environment: Mapping[str, str]) -> None:
        """The old one ends as in a release: it is asked nothing more, and finishes what it has."""
        (old, _), self._running[which] = self._running[which], self._start(environment)
        old.__exit__(None, None, None)

    def roll(self, environment: Mapping[str, str]) -> None:
        for which in range(2):
            self.replace(which, environment)

    def stop(self) -> None:
        for context, _ in self._running:
            context.__exit__(None, None, None)

    def _start(self, environment: Mapping[str, str]) -> tuple[AbstractContextManager[Role], Role]:
        context = self._start_role(
            "web",
            UNTHROTTLED,
            env={
                **environment,
                "PORT": str(free_port()),
                "METRICS_PORT": str(free_port()),
                "WEB_CONCURRENCY": "1",
                "LOG_LEVEL": "WARNING",
            },
        )
        return context, context.__enter__()


@contextmanager
def fleet(start_role: StartRole, environment: Mapping[str, str]) -> Iterator[Fleet]:
    running = Fleet(start_role, environment)
    try:
        yield running
    finally:
        running.stop()
