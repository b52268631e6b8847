"""No test reaches beyond this machine, and neither does a Python process that it starts.

Python imports a module of this name when it starts, and tests/conftest.py imports it for pytest's
own process. An audit hook (PEP 578) sees every socket of Python: of threads and of asyncio, of
`connect_ex` and UDP, and names before they are looked up. Weighed: pytest-socket replaces
`socket.connect` in the calling test alone, and neither in what a test starts nor for names.

Not seen: sockets of C. libpq is given addresses by psycopg, whose look-ups are Python's; the
addresses are those of tests/stack.py, which a test holds against this rule.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from typing import Any

_CONNECTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_LOOK_UPS = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})


class OutsideError(RuntimeError):
    """A test reaches for the network; no `OSError`, which the service takes for an outage."""


def is_here(host: object) -> bool:
    """Whether this is loopback, an address to listen on, or this machine's own name."""
    if not isinstance(host, str | bytes):
        return True  # no host at all: None, or a family that has none
    name = (host if isinstance(host, str) else host.decode("ascii", "replace")).partition("%")[0]
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name.lower() in ("", "localhost", socket.gethostname().lower())
    return address.is_loopback or address.is_unspecified


def refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """The audit hook. Raises `OutsideError`."""
    if event in _CONNECTS:
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # a Unix socket is a path
    elif event in _LOOK_UPS:
        host = arguments[0]
    else:
        return
    if not is_here(host):
        raise OutsideError(
            f"A test reaches for {host!r} ({event}): tests use loopback only. "
            "Start a server of your own, as tests/conftest.py does."
        )


sys.addaudithook(refuse)
