"""What runs beside the event loop of an ASGI process: its management port, its database watch."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

from core.health.database import PrimaryWatch
from core.health.state import page
from core.probes.answers import Probes
from core.probes.management import ManagementServer, listen
from core.probes.monitor import Monitor, Worker
from core.server.life import SignOfLife

# Seconds without a tick until the loop counts as blocked. Liveness restarts a process after 60 s of
# that; shorter stalls are slow code that a restart would not mend.
BLOCKED_AFTER = 10.0


class Streaming:
    """One event loop, watched from a thread, so that a blocked loop can still say so.

    `host` and `port` are those of the management port. Satisfies `core.probes.asgi.Lifecycle`.
    """

    def __init__(self, *, host: str, port: int, version: Mapping[str, str], conninfo: str) -> None:
        self._address = (host, port)
        self._page = page()
        self._slot = self._page.slot(0)
        self._watch = PrimaryWatch(self._page, self._slot.number, conninfo)
        self._monitor = Monitor(
            self._page, self._workers, stale_after=BLOCKED_AFTER, wedged_after=None
        )
        self._probes = Probes(
            version=version,
            unready=self._monitor.unready,
            is_live=self._monitor.is_live,
            metrics=self._monitor.metrics,
        )
        self._sign_of_life = SignOfLife(self._monitor.is_live)
        self._server: ManagementServer | None = None
        self._running = 0  # changed in the event loop only

    def start(self) -> None:
        """Open the port and ask the database. Raises `PortUnavailableError`."""
        self._server = ManagementServer(listen(*self._address), self._probes, tick=self._tick)
        self._slot.boot(threads=0)
        self._watch.start()
        self._server.start()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._drain_on(number)

    def tick(self) -> None:
        self._slot.tick()

    @contextmanager
    def request(self) -> Iterator[None]:
        """Count a request, or a stream, for as long as it lasts."""
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1

    def stop(self) -> None:
        self._watch.stop()
        if self._server:
            self._server.stop()

    def _tick(self) -> None:
        self._monitor.announce()
        self._sign_of_life()

    def _workers(self) -> list[Worker]:
        return [Worker(self._slot, time.monotonic() - self._slot.ticked, self._running)]

    def _drain_on(self, number: signal.Signals) -> None:
        # The server's own handler stays in charge; this one says "draining" before it.
        before = signal.getsignal(number)

        def drain(number: int, frame: FrameType | None) -> None:
            self._page.drain()
            if callable(before):
                before(number, frame)

        if callable(before):
            signal.signal(number, drain)
