"""A program of the service, held by a test: what it prints, what it answers, how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

from scripts.servers import HOST, Process, ServerError
from tests.stack import BASE_DIR

START_TIMEOUT = 30.0  # seconds; a start takes 2 to 4 on a busy machine
STOP_TIMEOUT = 45.0  # above gunicorn's graceful timeout of 30 s and Celery's soft shutdown


class Running:
    """`command`, with its output read line by line. `env` holds the ports it listens on."""

    def __init__(
        self, name: str, command: Sequence[str | Path], env: Mapping[str, str], cwd: Path = BASE_DIR
    ) -> None:
        self.name = name
        self.env = dict(env)
        self.port = int(env["ASGI_PORT" if name == "asgi" else "PORT"])
        self.metrics_port = int(env["METRICS_PORT"])
        self.process = Process(
            name, command, output=subprocess.PIPE, env=env, cwd=cwd, stop_timeout=STOP_TIMEOUT
        )
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, name=f"stdout of {name}", daemon=True)

    @property
    def lines(self) -> list[str]:
        """What it has printed so far, stdout and stderr together, without line ends."""
        with self._changed:
            return list(self._lines)

    @property
    def logs(self) -> list[dict[str, Any]]:
        """Its lines as JSON. Raises `JSONDecodeError` for a line that is none."""
        return [json.loads(line) for line in self.lines]

    @property
    def pid(self) -> int:
        return self.process.pid

    def start(self) -> None:
        self.process.start()
        self._reader.start()

    def wait_for_line(self, wanted: Callable[[str], bool] | str, seconds: float = 20.0) -> str:
        """The first line that holds `wanted` (or for which it is true). Raises AssertionError."""
        matches = (lambda line: wanted in line) if isinstance(wanted, str) else wanted
        deadline = time.monotonic() + seconds
        with self._changed:
            seen = 0
            while True:
                for line in self._lines[seen:]:
                    if matches(line):
                        return line
                seen = len(self._lines)
                remaining = deadline - time.monotonic()
                ended = not self._reader.is_alive() and seen == len(self._lines)
                if ended or remaining <= 0:
                    raise AssertionError(f"{self.name} did not print {wanted!r}{self.output}")
                self._changed.wait(min(remaining, 0.2))

    def wait_until(self, condition: Callable[[], bool], seconds: float = START_TIMEOUT) -> None:
        """Poll `condition`. Raises AssertionError with the output when it stays false."""
        try:
            self.process.wait_until(condition, seconds)
        except ServerError as error:
            raise AssertionError(f"{error}{self.output}") from error

    def wait_for_exit(self, seconds: float = 20.0) -> int:
        """Its exit code. Raises AssertionError when it still runs after `seconds`."""
        deadline = time.monotonic() + seconds
        while (code := self.process.returncode) is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.name} still runs after {seconds:g} s{self.output}")
            time.sleep(0.02)
        self._reader.join(5)
        return code

    def signal(self, number: int) -> None:
        """Signal the program that start.sh became, as systemd and the kubelet do."""
        os.kill(self.pid, number)

    def stop(self) -> int | None:
        """SIGTERM, then wait. Returns the exit code; nothing of its tree is left."""
        code = self.process.stop()
        self._reader.join(5)
        return code

    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        port: int | None = None,
        timeout: float = 10.0,
    ) -> tuple[HTTPResponse, bytes]:
        """One request as a proxy sends it: over plain HTTP, saying that the client came by HTTPS.

        Returns the response and its body. `port` is the role's own unless given.
        """
        connection = HTTPConnection(HOST, port or self.port, timeout=timeout)
        given = {"Host": "service.test", "X-Forwarded-Proto": "https", **(headers or {})}
        try:
            connection.request(method, path, body=body, headers=given)
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()

    def get(self, path: str, **options: Any) -> tuple[HTTPResponse, bytes]:
        return self.request("GET", path, **options)

    def answers(self) -> bool:
        """Whether HTTP comes back at all, whatever the status."""
        try:
            self.get("/livez", timeout=2)
        except OSError:
            return False
        return True

    @property
    def output(self) -> str:
        """For a failure's message: the last lines it printed."""
        return "\n" + "\n".join(f"    {line}" for line in self.lines[-40:])

    def _read(self) -> None:
        for raw in self.process.stdout:
            with self._changed:
                self._lines.append(raw.decode(errors="replace").rstrip("\n"))
                self._changed.notify_all()
        self.process.stdout.close()


class Role(Running):
    """One `scripts/start.sh` process."""

    def __init__(self, name: str, arguments: tuple[str, ...], env: Mapping[str, str]) -> None:
        super().__init__(name, [BASE_DIR / "scripts" / "start.sh", name, *arguments], env)
