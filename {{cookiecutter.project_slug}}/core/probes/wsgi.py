"""Probes on the web port, in front of Django."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from core.probes.answers import Probes

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class ProbesMiddleware:
    """A WSGI application that answers probes and passes everything else on.

    Outside Django, because a probe comes by the pod's address, which ALLOWED_HOSTS does not hold,
    over plain HTTP, which SECURE_SSL_REDIRECT would turn away, and must not open a session.
    """

    def __init__(self, application: WSGIApplication, probes: Probes) -> None:
        self._application = application
        self._probes = probes

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answers = self._probes.find(environ.get("PATH_INFO", ""))
        if answers is None:
            return self._application(environ, start_response)
        answer = answers()
        start_response(f"{answer.status.value} {answer.status.phrase}", answer.headers)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else answer.body]
