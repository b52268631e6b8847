"""A client of the proxy: one of the world, or a balancer that is believed."""

from __future__ import annotations

import itertools
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from typing import Any

from scripts.servers import HOST, Nginx

# The world comes from 127.1.0.0/16, each test from an address of its own: limits are per address.
_addresses = (f"127.1.{number >> 8}.{number & 255}" for number in itertools.count(1))


@dataclass(frozen=True)
class Answer:
    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Asks `proxy` from `address`: by TLS unless `plain`, with `timeout` in seconds."""

    def __init__(self, proxy: Nginx, address: str | None = None, *, plain: bool = False) -> None:
        self.proxy = proxy
        self.address = address or next(_addresses)
        self._plain = plain

    def connect(self, name: str = "service.test", *, timeout: float = 20.0) -> socket.socket:
        """A connection as a browser has it, for a test that writes its own bytes."""
        port = self.proxy.port if self._plain else self.proxy.tls_port
        connection = socket.create_connection(
            (HOST, port), timeout=timeout, source_address=(self.address, 0)
        )
        if self._plain:
            return connection
        return self.proxy.trust().wrap_socket(connection, server_hostname=name)

    def ask(
        self,
        path: str,
        method: str = "GET",
        *,
        host: str = "service.test",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        connection = HTTPConnection(HOST)
        connection.sock = self.connect(host)
        try:
            connection.request(method, path, body=body, headers={"Host": host, **(headers or {})})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()


def said_by_balancer(client: str = "203.0.113.7", **more: str) -> dict[str, str]:
    """Its headers for a client that came by TLS; believed from 127.0.0.1."""
    return {
        "X-Forwarded-For": client,
        "X-Forwarded-Proto": "https",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
