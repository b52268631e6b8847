"""Two web processes behind the real nginx, restarted one after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Self

from drills.service import Service, start
from scripts.servers import Nginx, ServerError, find_nginx, free_port
from scripts.servers.nginx import INSTALL
from tests.server.roles import Role

APPLICATION = "drills.app.web_behind_proxy:application"
# With max_fails=1, nginx's own default, a process that failed once is not asked for 10 s.
COUNTS_FAILURES = {"max_fails=0": "max_fails=1"}


class Fleet:
    """`with` starts both, and the proxy with the files of deploy/nginx in front of them.

    `arguments` are gunicorn's, `replace` is that of `Nginx`. Raises `ServerError`.
    """

    def __init__(
        self,
        service: Service,
        *,
        arguments: tuple[str, ...] = (),
        replace: dict[str, str] | None = None,
        env: dict[str, str] | None = None,
    ) -> None:
        if not find_nginx():
            raise ServerError(f"nginx is not installed: {INSTALL}")
        self._service = service
        self._arguments = arguments
        self._env = env or {}
        self.roles = [self._role(free_port(), free_port()) for _ in range(2)]
        # A folder of its own: several drills share the servers of one stage.
        folder = service.postgres.directory.parent / f"nginx-{self.roles[0].port}"
        self.proxy = Nginx(folder, web=[role.port for role in self.roles], replace=replace)

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.callback(self._stop)
            with ThreadPoolExecutor() as pool:
                list(pool.map(start, self.roles))
            undo.enter_context(self.proxy)
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def restart_each(self, end: Callable[[Role], object], *, settle: float = 0.0) -> None:
        """`end` one, start its successor on its ports, go on `settle` seconds after it is ready."""
        for number, old in enumerate(self.roles):
            end(old)
            self.roles[number] = self._role(old.port, old.metrics_port)
            start(self.roles[number])
            threading.Event().wait(settle)

    def _role(self, port: int, metrics_port: int) -> Role:
        ports = {"PORT": str(port), "METRICS_PORT": str(metrics_port)}
        return self._service.role("web", *self._arguments, APPLICATION, env=ports | self._env)

    def _stop(self) -> None:
        with ThreadPoolExecutor() as pool:
            list(pool.map(Role.stop, self.roles))
