"""Varnish from the system's package, with deploy/varnish/default.vcl in front of a port.

No wheel carries it. On Debian and Ubuntu: `apt-get install varnish`.
"""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

from scripts.servers.process import Process, ServerError
from scripts.servers.server import HOST, Server

CONFIGURATION = Path(__file__).resolve().parents[2] / "deploy" / "varnish" / "default.vcl"
INSTALL = "apt-get install varnish"
_TOKEN_FILE = "/etc/varnish/purge-token"  # noqa: S105 - its place in the configuration


def find_varnish() -> Path | None:
    """The program, also where Debian puts it and an ordinary user's PATH does not look."""
    found = shutil.which("varnishd") or shutil.which("varnishd", path="/usr/sbin:/usr/local/sbin")
    return Path(found) if found else None


class Varnish(Server):
    """An edge in front of the application on `backend`, which may be away.

    `token` is what a purge must show. `text` is the configuration, ours unless given; its port,
    its token's file and `changes` (old text to new) are put in.
    """

    name = "Varnish"

    def __init__(
        self,
        directory: Path,
        backend: int,
        *,
        port: int | None = None,
        token: str = "",
        text: str | None = None,
        changes: dict[str, str] | None = None,
    ) -> None:
        super().__init__(directory, port)
        self._token = token
        self._text = CONFIGURATION.read_text() if text is None else text
        self._changes = {
            '"8000"': f'"{backend}"',
            _TOKEN_FILE: str(directory / "purge-token"),
            **(changes or {}),
        }

    def _prepare(self) -> Process:
        program = find_varnish()
        if program is None:
            raise ServerError(f"Varnish is not installed: {INSTALL}")
        text = self._text
        for old, new in self._changes.items():
            text = text.replace(old, new)
        configuration = self.directory / "edge.vcl"
        configuration.write_text(text)
        (self.directory / "purge-token").write_text(self._token + "\n")
        # -j none: the jail of Debian's unit needs root and users that a laptop lacks.
        return Process(
            self.name,
            [
                program, "-F", "-j", "none", "-n", self.directory / "run", "-T", "none",
                "-a", f"{HOST}:{self.port}", "-f", configuration, "-s", "malloc,32m",
            ],
            output=self.log,
        )  # fmt: skip

    def _is_ready(self) -> bool:
        try:
            with socket.create_connection((HOST, self.port), timeout=1):
                return True
        except OSError:
            return False
