"""The servers and variables of development: what `make run` and a command beside it share.

    python -m scripts.development -- command [argument ...]

runs one command on the data of `make run`: on its servers while it runs, else on the same servers,
started for as long as the command takes. State lives in .data/ (not in git).
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shlex
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values

from scripts.servers import VARIABLES, ServerError, Stack, guardian
from scripts.servers.command import call

BASE_DIR = Path(__file__).resolve().parent.parent
DATA = BASE_DIR / ".data"
_DOTENV = BASE_DIR / ".env"
_NOTE = DATA / "run.json"
_STARTED = DATA / "started"
_DEFAULT_PORTS = {
    "postgres": 5432,
    "postgresql": 5432,
    "redis": 6379,
    "rediss": 6379,
    "amqp": 5672,
    "amqps": 5671,
}


class AlreadyRunning(Exception):  # noqa: N818 - a state, not an error
    """Another process holds .data/.

    `variables` are those of its servers; None while it has not got as far as to know them.
    """

    def __init__(self, note: Path) -> None:
        self.variables: dict[str, str] | None = None
        try:
            holder = json.loads(note.read_text())
            pid, command, self.variables = holder["pid"], holder["command"], holder["variables"]
        except (OSError, ValueError, KeyError, TypeError):
            pid = command = None
        if pid not in guardian.living():  # what a killed process left behind
            self.variables = None
        super().__init__(
            "Another command is starting here: try again in a moment."
            if self.variables is None
            else f"`{command}` is running here already, as process {pid}: stop it first."
        )


def write_dotenv() -> bool:
    """Make .env from .env.example with a key of its own, mode 0600; False when there is one."""
    if _DOTENV.exists():
        return False
    lines = (BASE_DIR / ".env.example").read_text().splitlines()
    key = "SECRET_KEY=" + secrets.token_urlsafe(48)
    _DOTENV.touch(mode=0o600)
    _DOTENV.write_text("\n".join(key if line == "SECRET_KEY=" else line for line in lines) + "\n")
    return True


def given() -> dict[str, str]:
    """Servers that the environment or .env names: they replace the embedded ones."""
    found = {**dotenv_values(_DOTENV, interpolate=False), **os.environ}
    return {name: url for name in VARIABLES if (url := found.get(name))}


def refuse_unreachable(urls: dict[str, str]) -> None:
    """Raises `ServerError` for the first of `urls` where no server listens."""
    for name, url in urls.items():
        try:
            parts = urlsplit(url)
            port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
        except ValueError:
            continue  # config/env.py says what is wrong with it
        if not parts.hostname or not port:
            continue
        try:
            socket.create_connection((parts.hostname, port), timeout=3).close()
        except OSError:
            raise ServerError(
                f"{name} names {parts.hostname}:{port}, where nothing answers: start that server, "
                f"or unset {name} to use an embedded one."
            ) from None


def environment(variables: dict[str, str]) -> dict[str, str]:
    """What a process of the service starts with in development."""
    return {
        **os.environ,
        **variables,
        "DJANGO_SETTINGS_MODULE": "config.settings.development",
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
    }


def remember(pid: int) -> None:
    """Note a process we started, with its start time, for a run after one that was killed."""
    entry = guardian.living().get(pid)
    if entry and entry.started:  # not on macOS: a number alone may be somebody else's by then
        with _STARTED.open("a") as file:
            file.write(f"{pid} {entry.started}\n")


def _end_orphans() -> None:
    """Stop what a run left whose guardian was killed, too; the last started first."""
    lines = _STARTED.read_text().splitlines() if _STARTED.exists() else []
    noted = [tuple(line.split()) for line in lines]
    everyone = guardian.living()
    orphans = [e for e in everyone.values() if (str(e.pid), e.started) in noted]
    for orphan in sorted(orphans, key=lambda e: noted.index((str(e.pid), e.started)), reverse=True):
        guardian.end(orphan.pid, signal.SIGINT, 5.0)  # PostgreSQL takes it as "fast"
    if orphans:
        print("Stopped what an earlier run had left running.", file=sys.stderr)
    _STARTED.unlink(missing_ok=True)


def _write_note(command: str, variables: dict[str, str] | None) -> None:
    """Say who holds .data/. Renamed when complete: a reader finds all of it or the one before."""
    fresh = _NOTE.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps({"pid": os.getpid(), "command": command, "variables": variables}))
    fresh.replace(_NOTE)


@contextmanager
def servers(command: str) -> Iterator[Stack]:
    """The stack of .data/, not started, held for `command` alone. Raises `AlreadyRunning`.

    The lock is the kernel's: it ends with its holder, however that ends.
    """
    DATA.mkdir(mode=0o700, exist_ok=True)
    with (DATA / "run.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(_NOTE) from None
        try:
            _write_note(command, None)
            _end_orphans()
            outside = given()
            refuse_unreachable(outside)
            stack = Stack(DATA, given=outside)
            _write_note(command, stack.variables)
            try:
                yield stack
            finally:
                stack.stop()
                _STARTED.unlink(missing_ok=True)
        finally:
            _NOTE.unlink(missing_ok=True)


def main(command: list[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped
    write_dotenv()
    try:
        with servers(shlex.join(command)) as stack:
            stack.start()
            for server in stack.servers():
                remember(server.process.pid)
            return call(command, environment(stack.variables))
    except AlreadyRunning as other:
        if other.variables is not None:
            return call(command, environment(other.variables))
        print(other, file=sys.stderr)
        return 1
    except ServerError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[2:] if sys.argv[1:2] == ["--"] else sys.argv[1:]))
