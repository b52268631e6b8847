"""What a test reaches for outside of this machine is refused, in its processes too."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from urllib.parse import urlsplit

import pytest

from tests import stack
from tests.every_process.sitecustomize import OutsideError, is_here

# TEST-NET-1 (RFC 5737), and a name that is nobody's to use (RFC 2606).
ADDRESS, NAME = "192.0.2.1", "example.org"


def test_a_connection_to_another_machine_is_refused() -> None:
    with pytest.raises(OutsideError, match=r"192\.0\.2\.1.*loopback"):
        socket.create_connection((ADDRESS, 443), timeout=1)


def test_a_name_is_not_looked_up() -> None:
    with pytest.raises(OutsideError, match=r"example\.org"):
        socket.getaddrinfo(NAME, 443)


def test_a_datagram_is_not_sent() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender, pytest.raises(OutsideError):
        sender.sendto(b"", (ADDRESS, 53))


def test_a_connection_whose_error_would_be_a_number_is_refused() -> None:
    with socket.socket() as client, pytest.raises(OutsideError):
        client.connect_ex((ADDRESS, 443))


def test_a_coroutine_is_refused() -> None:
    async def reach(host: str) -> None:
        await asyncio.open_connection(host, 443)

    for host in (ADDRESS, NAME):
        with pytest.raises(OutsideError):
            asyncio.run(reach(host))


def test_another_thread_is_refused() -> None:
    raised: list[Exception] = []

    def reach() -> None:
        try:
            socket.create_connection((ADDRESS, 443), timeout=1)
        except OutsideError as error:
            raised.append(error)

    thread = threading.Thread(target=reach)
    thread.start()
    thread.join()
    assert len(raised) == 1


def test_a_process_is_refused() -> None:
    reach = f"import socket; socket.create_connection(({ADDRESS!r}, 443), timeout=1)"
    done = subprocess.run(
        [sys.executable, "-c", reach],
        env=stack.clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "tests use loopback only" in done.stderr


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_is_reached(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        socket.create_connection((host, port), timeout=5).close()


def test_a_socket_of_this_machines_files_is_reached() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        ours.sendall(b"here")
        assert theirs.recv(4) == b"here"


def test_the_servers_that_c_libraries_connect_to_are_here() -> None:
    """libpq opens sockets that no audit hook sees."""
    hosts = {name: urlsplit(url).hostname for name, url in stack.STACK.variables.items()}
    assert hosts
    assert {name: host for name, host in hosts.items() if not is_here(host)} == {}
