"""`make run`: the whole service on one machine, from nothing to a page.

Makes .env, starts the embedded servers, migrates, creates the demo data, starts web, worker, beat
and relay by scripts/start.sh, and prints the URL when the page answers. Ctrl-C stops all, servers
last.
DATABASE_URL, CACHE_URL and BROKER_URL in the environment or in .env replace the embedded servers.
"""

from __future__ import annotations

import os
import subprocess
import sys
from http.client import HTTPConnection, HTTPException

from config.env import EX_CONFIG, load
from core.environment import InvalidEnvironmentError
from scripts.development import (
    BASE_DIR,
    AlreadyRunning,
    environment,
    remember,
    servers,
    write_dotenv,
)
from scripts.messages import MessagesError, compile_catalogues
from scripts.servers import HOST, Process, ServerError, Stack, free_port
from scripts.servers.server import port_is_free
from scripts.supervisor import Supervisor, Terminal

ROLES = ("web", "worker", "beat", "relay")
START = BASE_DIR / "scripts" / "start.sh"


class _Role(Process):
    """A role that a later run finds and stops when this one is killed with its guardian."""

    def start(self) -> None:
        super().start()
        remember(self.pid)


def main() -> int:
    terminal = Terminal()
    if write_dotenv():
        terminal.say("Wrote .env with a key of its own.")
    try:
        with servers("make run") as stack:
            return _run(terminal, stack)
    except (AlreadyRunning, ServerError) as error:
        print(error, file=sys.stderr)
        return 1
    except InvalidEnvironmentError as error:
        print(error, file=sys.stderr)
        return EX_CONFIG
    except KeyboardInterrupt:
        terminal.say("Ctrl-C: nothing was started yet, the servers are stopped.")
        return 0


def _run(terminal: Terminal, stack: Stack) -> int:
    env = environment(stack.variables)
    values = load(env)
    if values.WEB_CONCURRENCY is None:
        env["WEB_CONCURRENCY"] = (
            "1"  # each worker imports the code by itself to reload it: 1 s each
        )
    if values.PORT == values.METRICS_PORT:
        raise ServerError(
            f"PORT and METRICS_PORT are both {values.PORT}, and each needs its own: "
            f"choose another: PORT={free_port()} make run"
        )
    for name, port in (("PORT", values.PORT), ("METRICS_PORT", values.METRICS_PORT)):
        if not port_is_free(port):
            raise ServerError(
                f"Port {port} is taken: stop what listens there, or choose another: "
                f"{name}={free_port()} make run"
            )
    try:
        compile_catalogues()
    except MessagesError as error:
        terminal.say(f"Translations are not shown: {error}")
    ours = list(stack.servers())
    names = ", ".join(server.name for server in ours) or "no embedded servers"
    terminal.say(f"Starting {names} ...")
    stack.start()
    for server in ours:
        remember(server.process.pid)
    for note in (note for server in ours for note in server.notes):
        terminal.say(note)

    def prepare() -> None:
        terminal.say("Migrating ...")
        _finish("The migrations", [str(START), "migrate", "--verbosity=0"], env)
        terminal.say(_finish("The demo data", [sys.executable, "manage.py", "demo"], env).strip())

    def page_answers() -> bool:
        # Any page but an error: a service without a page at / is up with a 404, too.
        return _status(values.PORT, "/livez") == 200 and _status(values.PORT, "/") < 500

    def announce() -> None:
        terminal.say(f"The service answers at http://localhost:{values.PORT}/   (Ctrl-C stops it)")

    programs = [
        _Role(role, [START, role], output=subprocess.PIPE, env=env, cwd=BASE_DIR) for role in ROLES
    ]
    supervisor = Supervisor(terminal, programs, ours)
    return supervisor.run(prepare=prepare, is_ready=page_answers, announce=announce)


def _finish(what: str, command: list[str], env: dict[str, str]) -> str:
    """Run a step to its end; its stdout. Raises `ServerError` with all it printed."""
    done = subprocess.run(
        command, env=env, cwd=BASE_DIR, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ServerError(f"{what} failed:\n{done.stdout}{done.stderr}".rstrip())
    return done.stdout


def _status(port: int, path: str) -> int:
    """The HTTP status; 599 when nothing answers."""
    connection = HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", path, headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status
    except (OSError, HTTPException):
        return 599
    finally:
        connection.close()


if __name__ == "__main__":
    # A module is run with the folder of the caller on sys.path; the service may be elsewhere.
    os.chdir(BASE_DIR)
    sys.exit(main())
