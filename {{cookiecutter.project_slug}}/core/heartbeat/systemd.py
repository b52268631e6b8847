"""Tell systemd, where it supervises this process, as sd_notify(3) says.

`WATCHDOG=1` is a sign of life (WatchdogSec of deploy/systemd/), `MAINPID=7` names the process to
supervise from now on. Weighed: gunicorn's `systemd.sd_notify` wants a logger and a web server;
the systemd-python package is a binding that needs a C library at each build.
"""

from __future__ import annotations

import os
import socket


def notify(state: str) -> bool:
    """Send `state`; whether somebody was there to be told. Never raises and never waits."""
    address = os.environ.get("NOTIFY_SOCKET")  # noqa: TID251 - from systemd, not configuration
    if not address:
        return False
    if address.startswith("@"):  # stands for the zero byte of an abstract address
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.setblocking(False)
        try:
            channel.sendto(state.encode(), address)
        except OSError:  # systemd is busy with a queue of them, or away for its own re-exec
            return False
    return True
