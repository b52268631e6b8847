"""Debian's RabbitMQ, for tests: the other broker that BROKER_URL may name.

One node without a cluster, its name server (epmd) of its own beside it: the system's would be
started in the background and stay.
"""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

from kombu import Connection as Broker

from scripts.servers.process import Process
from scripts.servers.server import HOST, Server, free_port

INSTALL = "apt-get install rabbitmq-server"
# Not the one on PATH, which changes to the user rabbitmq and so to the system's folders.
_PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


def find_rabbitmq() -> Path | None:
    """The server's program, or None."""
    return _PROGRAM if _PROGRAM.exists() and shutil.which("epmd") else None


class RabbitMQ(Server):
    """One node; `url` is its virtual host `/` as guest, who may come from this machine alone."""

    name = "RabbitMQ"

    def __init__(self, directory: Path, *, port: int | None = None) -> None:
        super().__init__(directory, port)
        self._epmd_port, self._node_port = free_port(), free_port()
        self._epmd: Process | None = None

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@{HOST}:{self.port}//"

    def stop(self) -> None:
        super().stop()
        if self._epmd:
            self._epmd.stop()

    def purge(self, *queues: str) -> None:
        """Forget the messages of those queues, which need not exist."""
        with Broker(self.url) as connection:
            for queue in queues:
                try:
                    connection.channel().queue_purge(queue)
                except connection.channel_errors:
                    continue

    def delete(self, queue: str) -> None:
        with Broker(self.url) as connection:
            connection.channel().queue_delete(queue)

    def queue_types(self, *queues: str) -> set[str]:
        """Of which types they are: who declares a queue as another type is refused."""
        types = set()
        with Broker(self.url) as connection:
            for queue in queues:
                for kind in ("classic", "quorum"):
                    try:
                        connection.channel().queue_declare(
                            queue, durable=True, auto_delete=False, arguments={"x-queue-type": kind}
                        )
                        types.add(kind)
                        break
                    except connection.channel_errors:
                        continue
        return types

    def _prepare(self) -> Process:
        data = self.directory
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(data),  # of the cookie that nodes know each other by
            "ERL_EPMD_PORT": str(self._epmd_port),
            "RABBITMQ_NODENAME": f"node{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": HOST,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._node_port),
            "RABBITMQ_MNESIA_BASE": str(data / "data"),
            "RABBITMQ_LOG_BASE": str(data / "log"),
            "RABBITMQ_CONFIG_FILE": str(data / "rabbitmq"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(data / "plugins"),
            # Its threads wait in loops otherwise, which takes CPU of whatever else is tested.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none",
        }
        if not (self._epmd and self._epmd.running):
            command = ["epmd", "-port", str(self._epmd_port), "-address", HOST]
            self._epmd = Process("epmd", command, output=self.log, env=environment)
            self._epmd.start()
        return Process(self.name, [_PROGRAM], output=self.log, env=environment, stop_timeout=30.0)

    def _is_ready(self) -> bool:
        try:
            with socket.create_connection((HOST, self.port), timeout=1) as connection:
                connection.settimeout(2)
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return connection.recv(1) == b"\x01"  # a method frame: it offers to begin
        except OSError:
            return False
