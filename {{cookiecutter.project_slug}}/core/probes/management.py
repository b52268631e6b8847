"""The management port: a tiny HTTP server in a thread of its own, beside everything it reports on.

One thread, no lock and no kernel object that a forked worker would share: it lives in gunicorn's
master, which forks. Each connection has two seconds and eight kilobytes, so a slow client delays
nobody.

Weighed: `http.server.ThreadingHTTPServer` starts a thread per connection without a bound, in a
process that forks; asyncio keeps the sockets out of reach, so that a forked worker cannot close its
copies; a socket of gunicorn's own is answered by request threads, whose state is the question.
"""

from __future__ import annotations

import logging
import os
import selectors
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus

from core.probes.answers import Answer, Probes, text

logger = logging.getLogger(__name__)

# Seconds for a whole exchange; Kubernetes gives a probe 3.
_DEADLINE = 2.0
# Bytes of a request; probes and Prometheus send some hundred.
_LONGEST = 8192
# Connections at a time; the next one ends the oldest, so that silent clients keep no probe out.
_MOST = 64
# Seconds between two looks at the clock.
_TICK = 0.25


class PortUnavailableError(Exception):
    """The management port cannot be bound; the message is one sentence for the operator."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises `PortUnavailableError`."""
    try:
        return socket.create_server((host, port), backlog=4 * _MOST)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise PortUnavailableError(
            f"The management port {host}:{port} cannot be bound: {reason}; METRICS_PORT moves it."
        ) from error


class _Exchange:
    """One connection: what has come in, what is still to go out."""

    def __init__(self, peer: socket.socket) -> None:
        self.peer = peer
        self.deadline = time.monotonic() + _DEADLINE
        self.received = b""
        self.pending = b""

    def close(self) -> None:
        # The shutdown reaches the client even where a worker, forked in between, holds a copy.
        with suppress(OSError):
            self.peer.shutdown(socket.SHUT_RDWR)
        self.peer.close()


class ManagementServer:
    """Answer probes on `listener` until `stop()`.

    `is_serving` is asked between requests: while it says no, connections are left to another
    process that listens on the same socket. `tick` runs a few times a second.
    """

    def __init__(
        self,
        listener: socket.socket,
        probes: Probes,
        *,
        is_serving: Callable[[], bool] = lambda: True,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        self.listener = listener
        self._probes = probes
        self._is_serving = is_serving
        self._tick = tick
        self._open: dict[_Exchange, None] = {}  # in the order of their coming
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="management", daemon=True)

    def start(self) -> None:
        self.listener.setblocking(False)
        self._thread.start()

    def stop(self) -> None:
        """Finish the answers in progress and close the port."""
        self._stopping = True
        self._thread.join(_DEADLINE + 1)
        self.listener.close()

    def close_in_child(self) -> None:
        """Give up the sockets that a forked process inherited; the parent keeps its own."""
        self.listener.close()
        for exchange in list(self._open):
            exchange.peer.close()

    def _run(self) -> None:
        while not self._stopping or self._open:
            try:
                self._turn()
            except Exception:
                logger.exception("The management port failed in an exchange.")

    def _turn(self) -> None:
        # poll() and not epoll: an epoll set survives a fork and reports the parent's sockets.
        with selectors.PollSelector() as selector:
            if not self._stopping and self._is_serving():
                selector.register(self.listener, selectors.EVENT_READ)
            for exchange in self._open:
                wanted = selectors.EVENT_WRITE if exchange.pending else selectors.EVENT_READ
                selector.register(exchange.peer, wanted, exchange)
            ready = selector.select(_TICK)
        for key, _ in ready:
            if key.data is None:
                self._accept()
            elif key.data in self._open:
                self._advance(key.data)
        now = time.monotonic()
        for exchange in [each for each in self._open if each.deadline < now]:
            self._close(exchange)
        self._tick()

    def _accept(self) -> None:
        with suppress(OSError):  # no more, or taken by the other process on this socket
            for _ in range(_MOST if self._is_serving() else 0):  # asked anew: we have waited
                peer, _address = self.listener.accept()
                peer.setblocking(False)
                self._open[_Exchange(peer)] = None
        for exchange in list(self._open)[:-_MOST]:
            self._close(exchange)

    def _advance(self, exchange: _Exchange) -> None:
        try:
            if not exchange.pending:
                chunk = exchange.peer.recv(_LONGEST)
                exchange.received += chunk
                if not chunk:
                    self._close(exchange)
                    return
                exchange.pending = self._response(exchange.received)
            if exchange.pending:
                sent = exchange.peer.send(exchange.pending)
                exchange.pending = exchange.pending[sent:]
                if not exchange.pending:
                    self._close(exchange)
        except BlockingIOError:
            pass
        except OSError:
            self._close(exchange)

    def _close(self, exchange: _Exchange) -> None:
        self._open.pop(exchange, None)
        exchange.close()

    def _response(self, request: bytes) -> bytes:
        """The bytes to send; empty while the request is not complete."""
        if b"\r\n\r\n" not in request and len(request) < _LONGEST:
            return b""
        method, _, target = request.partition(b"\r\n")[0].decode("latin-1").partition(" ")
        answer = self._answer(method, target.partition(" ")[0].partition("?")[0])
        head = f"HTTP/1.1 {answer.status.value} {answer.status.phrase}\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in [*answer.headers, ("Connection", "close")]
        )
        return head.encode("latin-1") + b"\r\n" + (b"" if method == "HEAD" else answer.body)

    def _answer(self, method: str, path: str) -> Answer:
        if method not in ("GET", "HEAD"):
            return text(HTTPStatus.METHOD_NOT_ALLOWED, "GET or HEAD only")
        answers = self._probes.find(path)
        if answers is None:
            return text(HTTPStatus.NOT_FOUND, "not found")
        try:
            return answers()
        except Exception:
            logger.exception("The probe %s failed.", path)
            return text(HTTPStatus.INTERNAL_SERVER_ERROR, "the probe failed; see the log")
