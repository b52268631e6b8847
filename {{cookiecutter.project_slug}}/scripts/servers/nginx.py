"""nginx from the system's package, with the files of deploy/nginx.

No wheel carries it. On Debian and Ubuntu: `apt-get install nginx libnginx-mod-http-brotli-static`.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.servers.process import Process, ServerError
from scripts.servers.server import HOST, Server, free_port

CONFIGURATION = Path(__file__).resolve().parents[2] / "deploy" / "nginx"
INSTALL = "apt-get install nginx libnginx-mod-http-brotli-static"
MODULES = Path("/usr/lib/nginx/modules")
_BROTLI = "ngx_http_brotli_static_module.so"
_MARK = "# site"
# Seconds until workers with the new configuration serve after a HUP; 0.05 on an idle machine.
_RELOAD_TIMEOUT = 10.0


def find_nginx() -> Path | None:
    """The program, also where Debian puts it and an ordinary user's PATH does not look."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    return Path(found) if found else None


class Nginx(Server):
    """The proxy in front of `web` and `asgi`, ports on this machine, for the domain `domain`.

    It runs the files of deploy/nginx; of them only lines that end in "# site" are changed, and
    those that name the domain. Its files are below `directory`: `static/` and `__error/`, which
    the caller fills, and `tls/` with a certificate of its own making. `balancers` are believed
    (balancers.conf); `replace` changes texts of the files, for a control or for a test that must
    not wait. Raises `ServerError`.
    """

    name = "nginx"

    def __init__(
        self,
        directory: Path,
        *,
        web: Sequence[int],
        asgi: Sequence[int] = (),
        domain: str = "service.test",
        balancers: Sequence[str] = (HOST,),
        replace: Mapping[str, str] | None = None,
        port: int | None = None,
    ) -> None:
        super().__init__(directory, port)
        self.tls_port = free_port()
        self.domain = domain
        self._upstreams = {8000: list(web), 8001: list(asgi) or [free_port()]}
        self._down: set[int] = set()
        self._balancers = balancers
        self._replace = dict(replace or {})
        self.access_log = directory / "access.log"

    @property
    def certificate(self) -> Path:
        return self.directory / "tls" / "fullchain.pem"

    def check(self) -> str:
        """What `nginx -t` says. Raises `ServerError` when it refuses."""
        self._write()
        done = subprocess.run(
            [*self._command(), "-t"], capture_output=True, text=True, check=False, cwd="/"
        )
        if done.returncode:
            raise ServerError(f"nginx refuses deploy/nginx:\n{done.stderr}")
        return done.stderr

    def take_out(self, port: int) -> None:
        """Send nothing more to the process at `port`; what it works on goes on."""
        self._down.add(port)
        self._reload()

    def take_back(self, port: int) -> None:
        self._down.discard(port)
        self._reload()

    def _reload(self) -> None:
        """Returns when only workers with the new files take connections. Raises `ServerError`."""
        before = self._workers()
        self._write()
        os.kill(self.process.pid, signal.SIGHUP)
        deadline = time.monotonic() + _RELOAD_TIMEOUT
        while not (now := self._workers()) or now & before:
            if time.monotonic() > deadline:
                raise ServerError("nginx did not reload.")
            time.sleep(0.05)

    def _workers(self) -> set[int]:
        """Children of the master that are not on their way out."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        found = set()
        for child in children:
            try:
                title = Path(f"/proc/{child}/cmdline").read_bytes()
            except OSError:
                continue
            if b"worker process" in title and b"shutting down" not in title:
                found.add(int(child))
        return found

    def _prepare(self) -> Process:
        self.check()
        return Process(
            self.name,
            [*self._command(), "-g", "daemon off;"],
            output=self.log,
            stop_timeout=3.0,
        )

    def _command(self) -> list[str | Path]:
        program = find_nginx()
        if program is None:
            raise ServerError(f"nginx is not installed: {INSTALL}")
        configuration = self.directory / "conf" / "nginx.conf"
        return [program, "-p", self.directory, "-c", configuration, "-e", "stderr"]

    def _write(self) -> None:
        for name in ("conf", "tls", "temp"):
            (self.directory / name).mkdir(mode=0o755, parents=True, exist_ok=True)
        if not (modules := self.directory / "modules").is_symlink():
            modules.symlink_to(MODULES)  # Debian names a module relative to its own prefix
        self._make_certificate()
        shipped = (CONFIGURATION / "identity.conf").read_text().split('server_name "')[1]
        shipped = shipped.partition('"')[0]
        for path in CONFIGURATION.glob("*.conf"):
            if path.name == "brotli.conf" and not (MODULES / _BROTLI).exists():
                continue
            text = path.read_text().replace(shipped, self.domain)
            lines = [self._on_this_machine(line) for line in text.splitlines()]
            text = "\n".join(line for line in lines if line is not None) + "\n"
            for old, new in self._replace.items():
                text = text.replace(old, new)
            (self.directory / "conf" / path.name).write_text(text)
        trusted = [f"set_real_ip_from {address};\n" for address in self._balancers]
        (self.directory / "conf" / "balancers.conf").write_text("".join(trusted))

    def _on_this_machine(self, line: str) -> str | None:
        """`line` with ports and folders of this server; None where it has no counterpart."""
        if not line.endswith(_MARK):
            return line
        words = line.removesuffix(_MARK).split()
        match words[0]:
            case "user":
                # Only a server that root started changes its user, who must reach a closed folder.
                return "user root;" if os.geteuid() == 0 else None
            case "listen":
                if "[::]" in line:
                    return None
                port = self.tls_port if "443" in line else self.port
                return re.sub(r"listen \d+", f"listen {HOST}:{port}", line)
            case "server":
                shipped = int(words[1].rpartition(":")[2])
                options = " ".join(words[2:])
                return "\n".join(
                    f"server {HOST}:{port} {'down ' if port in self._down else ''}{options}"
                    for port in self._upstreams.get(shipped, [])
                )
            case "include":
                return line if "mime.types" in line or (MODULES / _BROTLI).exists() else None
        for theirs, ours in {
            "/run/": "",
            "/var/log/nginx/error.log": "stderr",
            "/var/log/nginx/": "",
            "/var/lib/nginx/": "temp/",
            "/etc/nginx/": "",
            "/srv/service": "",
        }.items():
            ours = ours if ours == "stderr" else f"{self.directory}/{ours}".rstrip("/")
            line = line.replace(theirs, ours + ("/" if theirs.endswith("/") else ""))
        return line

    def _make_certificate(self) -> None:
        """Self-signed, by openssl, which every package of nginx brings or needs."""
        if self.certificate.exists():
            return
        names = ",".join(f"DNS:{name}{self.domain}" for name in ("", "www.", "admin."))
        subprocess.run(
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes", "-days", "2", "-subj", "/CN=test", "-addext", f"subjectAltName={names}",
                "-addext", "keyUsage=critical,digitalSignature,keyCertSign",
                "-keyout", self.directory / "tls" / "privkey.pem", "-out", self.certificate,
            ],
            check=True,
            capture_output=True,
        )  # fmt: skip

    def _is_ready(self) -> bool:
        try:
            with socket.create_connection((HOST, self.port), timeout=1):
                return True
        except OSError:
            return False

    def trust(self) -> ssl.SSLContext:
        """A client's, who knows the certificate."""
        return ssl.create_default_context(cafile=str(self.certificate))
