"""Sockets that keep to the deadline of their call, and connect to the address that was checked.

httpx2 gives each read the whole timeout again; here each gets what is left. A name is resolved
once: what is checked is what is connected to, or a second answer of the resolver would be a way
around the check. A resolver itself is bounded by `resolv.conf` alone where no event loop asks it.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

import httpcore2
import httpx2

from core import deadline

# Addresses that stand for one of IPv4, which may be a private one: RFC 6052.
_TRANSLATED = ip_network("64:ff9b::/96")


class AddressRefusedError(httpx2.TransportError):
    """A host that must be public has an address that is not."""


def left(timeout: float | None, error: type[Exception]) -> float:
    """`timeout`, or the seconds until the deadline when they are less. Raises `error` after it."""
    seconds = deadline.remaining()
    if seconds <= 0:
        raise error("the call's time is up")
    return seconds if timeout is None else min(timeout, seconds)


def is_public(address: str) -> bool:
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address) and (parsed.ipv4_mapped or parsed in _TRANSLATED):
        return False
    return parsed.is_global and not parsed.is_multicast


def _addresses(found: Iterable[Any], host: str, *, public_only: bool) -> list[str]:
    """Of what the resolver found, in its order, each once."""
    addresses = list(dict.fromkeys(entry[4][0] for entry in found))
    refused = [address for address in addresses if public_only and not is_public(address)]
    if refused:
        raise AddressRefusedError(f"{host} is {refused[0]}, which is not a public address")
    return addresses


class Stream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, left(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, left(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        seconds = left(timeout, httpcore2.ConnectTimeout)
        return Stream(self._stream.start_tls(ssl_context, server_hostname, seconds))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class Backend(httpcore2.NetworkBackend):
    def __init__(self, *, public_only: bool) -> None:
        self._sockets = httpcore2.SyncBackend()
        self._public_only = public_only

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *_: Any, **options: Any
    ) -> httpcore2.NetworkStream:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore2.ConnectError(f"{host}: {error}") from error
        failure: Exception = httpcore2.ConnectError(f"{host} has no address")
        with deadline.budget(left(timeout, httpcore2.ConnectTimeout)):
            for address in _addresses(found, host, public_only=self._public_only):
                seconds = left(None, httpcore2.ConnectTimeout)
                try:
                    return Stream(self._sockets.connect_tcp(address, port, seconds, **options))
                except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                    failure = error
        raise failure


class AsyncStream(httpcore2.AsyncNetworkStream):
    def __init__(self, stream: httpcore2.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._stream.read(max_bytes, left(timeout, httpcore2.ReadTimeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, left(timeout, httpcore2.WriteTimeout))

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        seconds = left(timeout, httpcore2.ConnectTimeout)
        return AsyncStream(await self._stream.start_tls(ssl_context, server_hostname, seconds))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class AsyncBackend(httpcore2.AsyncNetworkBackend):
    def __init__(self, *, public_only: bool) -> None:
        self._sockets = httpcore2.AnyIOBackend()
        self._public_only = public_only

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *_: Any, **options: Any
    ) -> httpcore2.AsyncNetworkStream:
        with deadline.budget(left(timeout, httpcore2.ConnectTimeout)):
            found = await self._resolved(host, port)
            failure: Exception = httpcore2.ConnectError(f"{host} has no address")
            for address in _addresses(found, host, public_only=self._public_only):
                seconds = left(None, httpcore2.ConnectTimeout)
                try:
                    stream = await self._sockets.connect_tcp(address, port, seconds, **options)
                except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                    failure = error
                else:
                    return AsyncStream(stream)
        raise failure

    async def _resolved(self, host: str, port: int) -> list[Any]:
        asked = asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        try:
            return await asyncio.wait_for(asked, left(None, httpcore2.ConnectTimeout))
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(f"{host} was not resolved in time") from error
        except OSError as error:
            raise httpcore2.ConnectError(f"{host}: {error}") from error
