"""gunicorn's hooks: the management port in the master, the facts from the workers.

gunicorn takes a hook from `config/gunicorn.py` by its name; that file imports these. What must
survive a HUP, which builds a new configuration, hangs on the arbiter.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any

from core.health.database import PrimaryWatch
from core.health.state import SLOTS, page
from core.heartbeat.systemd import notify
from core.probes.answers import Probes
from core.probes.management import ManagementServer, PortUnavailableError, listen
from core.probes.monitor import Monitor, Worker
from core.server import stalls
from core.server.life import SignOfLife

# The listening socket of the management port, handed by a master to its successor (USR2) as
# gunicorn hands its own in GUNICORN_FD: between two processes, not configuration.
_HANDED_ON = "SERVICE_MANAGEMENT_FD"
# The script that started this process, by a path that leads to the newest release: what a USR2
# executes. Set by deploy/systemd/start.sh; between it and us, not configuration.
_STARTED_BY = "SERVICE_STARTED_BY"

# Seconds beyond gunicorn's own timeout, so that it replaces a silent worker first.
_LATER = 10.0


class Management:
    """The management port of one gunicorn master."""

    def __init__(
        self, arbiter: Any, *, host: str, port: int, version: Mapping[str, str], conninfo: str
    ) -> None:
        self._arbiter = arbiter
        self._conninfo = conninfo
        self._page = page()
        self._monitor = Monitor(
            self._page,
            self._workers,
            stale_after=arbiter.cfg.timeout + _LATER,
            wedged_after=arbiter.cfg.timeout,
        )
        probes = Probes(
            version=version,
            unready=self._unready,
            is_live=self._monitor.is_live,
            metrics=self._monitor.metrics,
        )
        self._server = ManagementServer(
            _inherited() or listen(host, port),
            probes,
            is_serving=self._is_serving,
            tick=self._tick,
        )
        self._sign_of_life = SignOfLife(self._monitor.is_live)

    def start(self) -> None:
        """Answer from now on, and say "draining" the moment a signal asks for the end.

        gunicorn queues signals for its main loop, which may be busy with a reload.
        """
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            signal.signal(number, self._drain)
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def hand_on(self) -> None:
        """Leave the socket to the program that this process is about to execute."""
        descriptor = self._server.listener.fileno()
        os.set_inheritable(descriptor, True)
        self._arbiter.cfg.env_orig[_HANDED_ON] = str(descriptor)

    def begin_worker(self, worker: Any) -> None:
        """In the worker: let go of the master's sockets, and watch the database from here."""
        self._server.close_in_child()
        PrimaryWatch(self._page, worker.slot.number, self._conninfo).start()

    def _drain(self, number: int, frame: FrameType | None) -> None:
        # A worker that has just been forked still has this handler, and the page is everybody's.
        if os.getpid() == self._arbiter.pid:
            self._page.drain()
            if self._arbiter.reexec_pid:
                # systemd takes a service whose main process ends for one that has ended, and kills
                # the rest. Said by the one that leaves: a successor may still be taken back.
                notify(f"MAINPID={self._arbiter.reexec_pid}")
        self._arbiter.signal(number, frame)

    def _tick(self) -> None:
        self._monitor.announce()
        self._sign_of_life()

    def _workers(self) -> Iterator[Worker]:
        now = time.monotonic()
        for worker in list(self._arbiter.WORKERS.values()):
            try:
                silence = now - worker.tmp.last_update()
            except (OSError, ValueError):  # its file was closed: it has just ended
                continue
            yield Worker(worker.slot, silence, worker.slot.running)

    def _unready(self) -> str | None:
        if self._page.draining and not self._is_serving():
            return None  # accepted a moment too late: the other master is ready, and so are we two
        return self._monitor.unready()

    def _is_serving(self) -> bool:
        """During a USR2 two masters listen on one socket: only the one that serves answers."""
        successor = self._arbiter.reexec_pid != 0
        predecessor = self._arbiter.master_pid not in (0, os.getpid()) and (
            self._arbiter.master_pid == os.getppid()
        )
        if self._page.draining:
            return not (successor or predecessor)
        return not predecessor or self._monitor.unready() is None


def _inherited() -> socket.socket | None:
    descriptor = os.environ.pop(_HANDED_ON, None)  # noqa: TID251 - see _HANDED_ON
    if descriptor is None:
        return None
    os.set_inheritable(int(descriptor), False)
    return socket.socket(fileno=int(descriptor))


def open_management(
    arbiter: Any, *, host: str, port: int, version: Mapping[str, str], conninfo: str
) -> None:
    """Bind the management port, before anything else is started.

    `conninfo` is libpq's, of the primary. Exits with 1 and one sentence when the port is taken.
    """
    try:
        arbiter.management = Management(
            arbiter, host=host, port=port, version=version, conninfo=conninfo
        )
    except PortUnavailableError as error:
        arbiter.log.error("%s", error)
        sys.exit(1)


def when_ready(arbiter: Any) -> None:
    arbiter.management.start()


def pre_fork(arbiter: Any, worker: Any) -> None:
    """Give the worker the smallest free slot. It keeps its number for life, as metrics need."""
    taken = {each.slot.number for each in arbiter.WORKERS.values()}
    # The last one is shared by whoever finds none: better than a master that dies of it.
    number = next((each for each in range(SLOTS) if each not in taken), SLOTS - 1)
    worker.slot = page().slot(number)
    worker.slot.clear()


def post_fork(arbiter: Any, worker: Any) -> None:
    arbiter.management.begin_worker(worker)


def post_worker_init(worker: Any) -> None:
    worker.slot.boot(worker.cfg.threads)
    if not worker.cfg.reload:  # where code is being written, a request may stand at a breakpoint
        stalls.StallWatch(
            worker,
            after=worker.cfg.timeout + stalls.LATER,
            grace=worker.cfg.graceful_timeout,
        ).start()


def pre_request(worker: Any, request: Any) -> None:
    worker.slot.begin()


def post_request(worker: Any, request: Any, environ: Any, response: Any) -> None:
    worker.slot.end()


def pre_exec(arbiter: Any) -> None:
    """In the process that a USR2 forked, before it executes.

    gunicorn would execute the interpreter it runs on, in the folder it was started in: the
    environment and the code of the old release, whatever `current` leads to by now.
    """
    arbiter.management.hand_on()
    script = os.environ.get(_STARTED_BY)  # noqa: TID251 - see _STARTED_BY
    if script:
        arbiter.START_CTX = {0: script, "args": [script, "web"], "cwd": "/"}


def on_exit(arbiter: Any) -> None:
    arbiter.management.stop()
