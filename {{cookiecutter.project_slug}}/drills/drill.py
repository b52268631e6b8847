"""One drill on its stage: the load, the marks of time, and the figures at the end."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from drills.load import Load
from drills.report import Figures
from drills.service import Service
from drills.traffic import Traffic
from drills.watch import Watch
from tests.server.roles import Role

OURS, NAIVE = "/api/drill/ours/", "/api/drill/naive/"
# Seconds after the heal in which a failure is still the fault's.
GRACE = 1.0


class Drill:
    """What the story of a drill is told with.

    `is_control` is the naive configuration; `is_quick` shortens what only makes a drill thorough,
    for `make test`.
    """

    def __init__(
        self, service: Service, name: str, *, is_control: bool = False, is_quick: bool = False
    ) -> None:
        self.service = service
        self.is_control = is_control
        self._name = name
        self.is_quick = is_quick
        self._load: Load | Traffic
        self._watch: Watch | None = None
        # The first fault and the last heal; the latter by two clocks, of requests and of rows.
        self._struck = 0.0
        self._healed = self._healed_at = 0.0
        service.ledger.empty()

    @contextmanager
    def load(
        self,
        web: Role,
        *,
        path: str | None = None,
        callers: int = 4,
        rate: float = 10.0,
        seconds: float = 0.0,
        cookie: str = "",
    ) -> Iterator[Load]:
        """Orders for `web` and questions to its probes while the block runs; as `Load`."""
        path = path or (NAIVE if self.is_control else OURS)
        self._load = Load(
            web.port, path, callers=callers, rate=rate, seconds=seconds, cookie=cookie
        )
        self._watch = Watch(web.metrics_port)
        with self._watch.running(), self._load.running() as load:
            yield load

    @contextmanager
    def traffic(self, traffic: Traffic) -> Iterator[Traffic]:
        """Clients of a proxy while the block runs. No probe is asked: processes come and go."""
        self._load = traffic
        with traffic.running():
            yield traffic

    def seconds(self, usual: float, quick: float) -> float:
        return quick if self.is_quick else usual

    def strike(self, fault: Callable[[], object]) -> None:
        """Inject it."""
        self._struck = self._struck or time.monotonic()
        fault()

    def heal(self, remedy: Callable[[], object] = lambda: None) -> None:
        """End it, by what returns when it is over; without one, nobody helps but the service."""
        remedy()
        self._healed, self._healed_at = time.monotonic(), time.time()

    @property
    def seconds_to_heal(self) -> float:
        """From the first fault to the last heal."""
        return self._healed - self._struck

    def figures(self, *, patience: float = 60.0, promises: bool = True) -> Figures:
        """Reconcile, once every order has its effect or `patience` seconds have passed.

        Without `promises` a good answer promised no effect.
        """
        ledger, answers = self.service.ledger, self._load.answers
        promised = self._load.promised if promises else set()
        ledger.await_effects(promised, patience)
        account = ledger.account(promised)
        failed = [answer for answer in answers if not answer.is_good]
        late = [answer for answer in failed if answer.began > self._healed + GRACE]
        during = [a.seconds for a in answers if self._struck <= a.began <= self._healed]
        last_failure = max((answer.began - self._healed for answer in failed), default=0.0)
        recovery = max(last_failure, ledger.seconds_until_last_effect(self._healed_at))
        watch = self._watch
        flip = watch.seconds_until_not_ready(self._struck) if watch else None
        return Figures(
            drill=self._name,
            requests=len(answers),
            failed=len(failed),
            failed_after_heal=len(late),
            recovery_s=round(max(0.0, recovery), 1),
            median_ms=round(statistics.median(during) * 1000) if during else None,
            worst_ms=round(max(answer.seconds for answer in answers) * 1000),
            livez_fail=watch.livez_fail if watch else 0,
            readyz_flip_s=None if flip is None else round(flip, 1),
            lost=account.lost,
            dup=account.dup,
            resent=getattr(self._load, "resent", 0),
        )
