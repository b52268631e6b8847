"""What each probe's path answers, whichever server carries it.

`/livez` and `/readyz` are Kubernetes' names; `/__version__`, `/__heartbeat__` and
`/__lbheartbeat__` are Dockerflow's (https://github.com/mozilla-services/Dockerflow). Nothing here
does I/O but `/__heartbeat__`, so that no probe can wait for what it reports.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

HEARTBEAT = "/__heartbeat__"


@dataclass(frozen=True, slots=True)
class Answer:
    """A small response."""

    status: HTTPStatus
    body: bytes
    content_type: str = "text/plain; charset=utf-8"

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [
            ("Content-Type", self.content_type),
            ("Content-Length", str(len(self.body))),
            ("Cache-Control", "no-store"),
        ]


def text(status: HTTPStatus, words: str) -> Answer:
    return Answer(status, (words + "\n").encode())


def as_json(status: HTTPStatus, value: object) -> Answer:
    return Answer(status, json.dumps(value).encode(), "application/json")


def _report(is_well: bool, report: object) -> Answer:
    return as_json(HTTPStatus.OK if is_well else HTTPStatus.INTERNAL_SERVER_ERROR, report)


class Probes:
    """The probes of one process.

    `version` is what runs, in Dockerflow's four words; `unready` says why no request should come
    here; `is_live` whether the instance works at all (a worker that answers is alive). `metrics` is
    Prometheus' text, `heartbeat` says whether all is well and what to report; a process that lacks
    them answers 404.
    """

    def __init__(
        self,
        *,
        version: Mapping[str, str],
        unready: Callable[[], str | None],
        is_live: Callable[[], bool] = lambda: True,
        metrics: Callable[[], str] | None = None,
        heartbeat: Callable[[], tuple[bool, object]] | None = None,
    ) -> None:
        self._unready = unready
        self._is_live = is_live
        self._version = as_json(HTTPStatus.OK, version)
        self._answers: dict[str, Callable[[], Answer]] = {
            "/livez": self._livez,
            "/readyz": self._readyz,
            "/__version__": lambda: self._version,
            "/__lbheartbeat__": lambda: text(HTTPStatus.OK, "ok"),
        }
        if metrics is not None:
            self._answers["/metrics"] = lambda: Answer(
                HTTPStatus.OK, metrics().encode(), "text/plain; version=0.0.4; charset=utf-8"
            )
        if heartbeat is not None:
            self._answers[HEARTBEAT] = lambda: _report(*heartbeat())

    def find(self, path: str) -> Callable[[], Answer] | None:
        """What answers `path`; None when it is not a probe."""
        return self._answers.get(path)

    def _livez(self) -> Answer:
        if self._is_live():
            return text(HTTPStatus.OK, "ok")
        return text(HTTPStatus.SERVICE_UNAVAILABLE, "no worker works")

    def _readyz(self) -> Answer:
        reason = self._unready()
        if reason is None:
            return text(HTTPStatus.OK, "ok")
        return text(HTTPStatus.SERVICE_UNAVAILABLE, reason)
