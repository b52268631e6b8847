"""A machine in a folder: the units' commands as real processes, behind a `systemctl` of ours.

It does what the units say as far as one can without systemd: the environment files, credentials,
runtime folder, a /tmp for each, ExecStart and ExecStartPost, notifications, and the exit status.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from scripts.servers import Process, guardian
from tests.server.systemd.units import Settings, settings, text_of
from tests.stack import BASE_DIR

# What an archive of the service holds, as far as a start needs it.
CONTENT = ("apps", "config", "core", "deploy", "locale", "scripts", "manage.py", "pyproject.toml")
START = 90.0  # seconds; TimeoutStartSec
STOP = 40.0  # seconds; above TimeoutStopSec

_SYSTEMCTL = """#!{python} -IS
import json, socket, sys
with socket.socket(socket.AF_UNIX) as channel:
    channel.connect({path!r})
    channel.sendall(json.dumps(sys.argv[1:]).encode() + b"\\n")
    code, _, said = channel.makefile().read().partition(" ")
sys.stdout.write(said)
sys.exit(int(code))
"""


class Machine:
    """`folder` stands for the root of the disk; `variables` and `secrets` are in its /etc."""

    def __init__(
        self, folder: Path, variables: Mapping[str, str], secrets: Mapping[str, Mapping[str, str]]
    ) -> None:
        self.folder = folder
        self.root = folder / "srv" / "service"
        self.main: dict[str, int] = {}  # unit: its main process
        self.notified: list[str] = []
        self.pretended: set[str] = set()  # units that are only said to run
        self.failing: set[str] = set()  # units whose next start fails
        self.calls: list[list[str]] = []
        self._processes: list[Process] = []
        self._status: dict[str, int] = {}
        self.web_port = variables["PORT"]
        self.environment = folder / "etc" / "service" / "environment"
        self._write(variables, secrets)
        self._control = self._listen(folder / "systemctl.socket", socket.SOCK_STREAM, self._serve)
        self._notify = self._listen(folder / "notify.socket", socket.SOCK_DGRAM, self._hear)

    def release(self, name: str, *, real_static: bool = False) -> Path:
        """A folder to ship: a copy of this tree, which installs by a link to our environment."""
        made = self.folder / "build" / name
        made.mkdir(parents=True)
        for part in CONTENT:
            source = BASE_DIR / part
            if source.is_dir():
                shutil.copytree(
                    source, made / part, ignore=shutil.ignore_patterns("__pycache__", "*.mo")
                )
            else:
                shutil.copy(source, made / part)
        # tests/testapp's settings are not needed; its packages are those that run this.
        (made / "scripts" / "install.sh").write_text(f'ln -s "{sys.prefix}" "$1/.venv"\n')
        if not real_static:
            (made / "scripts" / "collect_static.py").write_text(
                "import pathlib\n"
                "folder = pathlib.Path('staticfiles')\n"
                "folder.mkdir()\n"
                f"(folder / '{name}.css').write_text('')\n"
                '(folder / \'staticfiles.json\').write_text(\'{"paths": {}, "version": "1.1"}\')\n'
            )
        return made

    def run(self, *arguments: str | Path, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        """release.sh with `arguments`; never raises for its exit code."""
        return subprocess.run(
            [BASE_DIR / "deploy" / "systemd" / "release.sh", *arguments],
            env=self.shell,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )

    @property
    def shell(self) -> dict[str, str]:
        """The environment of whoever types the command."""
        return {
            "PATH": f"{self.folder / 'bin'}:{os.defpath}:/usr/sbin",
            "HOME": str(self.folder),
            "SERVICE_ROOT": str(self.root),
            "SERVICE_RUN": str(self.folder / "run" / "service-web"),
            "SERVICE_MANAGEMENT_PORT": self.ports["service-web.service"],
            **{k: v for k, v in os.environ.items() if k.startswith("PYTHON")},
        }

    def stop(self) -> None:
        for unit in list(self.main):
            self._stop(unit)
        for process in self._processes:
            process.stop()
        self._control.close()
        self._notify.close()

    def log(self, unit: str) -> str:
        path = self.folder / "log" / unit
        return path.read_text(errors="replace") if path.exists() else ""

    def _write(
        self, variables: Mapping[str, str], secrets: Mapping[str, Mapping[str, str]]
    ) -> None:
        own = dict(variables)
        # A drop-in, as an operator moves the ports that the units set themselves.
        self.ports = {
            "service-web.service": own.pop("METRICS_PORT"),
            "service-asgi.service": own.pop("ASGI_METRICS_PORT"),
        }
        self.environment.parent.mkdir(parents=True)
        self.environment.write_text("".join(f"{k}={v}\n" for k, v in own.items()))
        for kind, values in secrets.items():
            folder = self.environment.parent / "credentials" / kind
            folder.mkdir(parents=True)
            for name, value in values.items():
                (folder / name).write_text(value)
        for name in ("bin", "run", "log", "tmp", "build"):
            (self.folder / name).mkdir()
        systemctl = self.folder / "bin" / "systemctl"
        path = str(self.folder / "systemctl.socket")
        systemctl.write_text(_SYSTEMCTL.format(python=sys.executable, path=path))
        systemctl.chmod(0o755)

    def _listen(
        self, path: Path, kind: socket.SocketKind, answer: Callable[[socket.socket], None]
    ) -> socket.socket:
        channel = socket.socket(socket.AF_UNIX, kind)
        channel.bind(str(path))
        if kind == socket.SOCK_STREAM:
            channel.listen()

        def run() -> None:
            with suppress(OSError):  # closed by stop()
                while True:
                    answer(channel)

        threading.Thread(target=run, daemon=True).start()
        return channel

    def _hear(self, channel: socket.socket) -> None:
        state = channel.recv(1024).decode()
        self.notified.append(state)
        if state.startswith("MAINPID="):
            self.main["service-web.service"] = int(state.partition("=")[2])

    def _serve(self, channel: socket.socket) -> None:
        peer, _ = channel.accept()
        with peer, peer.makefile("rw") as stream:
            verb, *rest = json.loads(stream.readline())
            self.calls.append([verb, *rest])
            units = [
                name if name.endswith(".service") else f"{name}.service"
                for name in rest
                if not name.startswith("--")
            ]
            if verb == "show":
                stream.write(f"0 {self._status.get(units[0], 0)}\n")
                return
            codes = [self._start(unit) for unit in units]
            stream.write(f"{int(any(codes))} ")

    def _start(self, unit: str) -> int:
        self._stop(unit)
        if unit in self.failing:
            self.failing.discard(unit)
            return 1
        if unit in self.pretended:
            return 0
        told = settings(self._placed(text_of(unit)))
        env = self._environment(unit, told)
        process = Process(
            unit,
            told["ExecStart"][0].split(),
            output=self.folder / "log" / unit,
            env=env,
            cwd=told["WorkingDirectory"][0],
            stop_timeout=STOP,
        )
        process.start()
        self._processes.append(process)
        if told["Type"] == ["oneshot"]:
            self._status[unit] = self._ended(process)
            return int(self._status[unit] != 0)
        self.main[unit] = process.pid
        for command in told.get("ExecStartPost", []):
            waited = subprocess.run(
                command.split(),
                env={**env, "MAINPID": str(process.pid)},
                check=False,
                timeout=START,
                capture_output=True,
            )
            if waited.returncode:
                return 1
        return 0

    def _stop(self, unit: str) -> None:
        if (pid := self.main.pop(unit, None)) is None:
            return
        members = guardian.tree(pid)
        with suppress(ProcessLookupError):
            os.kill(pid, 15)
        # A Popen of ours is reaped, or it would count as running.
        mine = next((each for each in self._processes if each.pid == pid), None)
        deadline = time.monotonic() + STOP
        while guardian.still(members) and time.monotonic() < deadline:
            if mine:
                _ = mine.returncode
            time.sleep(0.1)
        guardian.send(members, 9)

    def _ended(self, process: Process) -> int:
        deadline = time.monotonic() + START
        while (code := process.returncode) is None:
            assert time.monotonic() < deadline, f"{process.name} does not end"
            time.sleep(0.1)
        return code

    def _environment(self, unit: str, told: Settings) -> dict[str, str]:
        kept = ("PYTHONPYCACHEPREFIX",)
        env = {name: os.environ[name] for name in kept if name in os.environ}
        env |= dict(pair.split("=", 1) for pair in told.get("Environment", []))
        if unit in self.ports:
            env["METRICS_PORT"] = self.ports[unit]
        for path in told["EnvironmentFile"]:
            lines = Path(path).read_text().splitlines()
            env |= dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#")
        private = self.folder / "tmp" / unit
        shutil.rmtree(private, ignore_errors=True)
        (private / "credentials").mkdir(parents=True)
        for each in told["LoadCredential"]:
            kind, _, source = each.partition(":")
            for file in Path(source).iterdir():
                shutil.copy(file, private / "credentials" / f"{kind}_{file.name}")
        env |= {
            "PATH": os.defpath,
            "TMPDIR": str(private),
            "CREDENTIALS_DIRECTORY": str(private / "credentials"),
        }
        for name in told.get("RuntimeDirectory", []):
            folder = self.folder / "run" / name
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            env["RUNTIME_DIRECTORY"] = str(folder)
        if unit == "service-web.service":
            env["NOTIFY_SOCKET"] = str(self.folder / "notify.socket")
        return env

    def _placed(self, text: str) -> str:
        return text.replace("/srv/service", str(self.root)).replace(
            "/etc/service", str(self.environment.parent)
        )
