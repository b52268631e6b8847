"""Run a command while a throw-away PostgreSQL, cache and broker are up.

    python -m scripts.with_servers [--migrate] -- command [argument ...]

Exports DATABASE_URL, DATABASE_DIRECT_URL, CACHE_URL and BROKER_URL, and where they are not set
DJANGO_SETTINGS_MODULE (config.settings.test) and a SECRET_KEY. Exits with the command's code.
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import sys
import tempfile
from pathlib import Path

from scripts.servers import ServerError, Stack
from scripts.servers.command import call

START = Path(__file__).parent / "start.sh"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, usage="%(prog)s [--migrate] -- command …")
    parser.add_argument("--migrate", action="store_true", help="apply the migrations first")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped
    with tempfile.TemporaryDirectory(prefix="service-servers-") as folder:
        try:
            with Stack(Path(folder), throw_away=True) as stack:
                env = {
                    "DJANGO_SETTINGS_MODULE": "config.settings.test",
                    "SECRET_KEY": secrets.token_urlsafe(48),
                    **os.environ,
                    **stack.variables,
                    "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
                }
                code = call([str(START), "migrate", "--verbosity=0"], env) if options.migrate else 0
                return code or call(options.command, env)
        except ServerError as error:
            print(error, file=sys.stderr)
            return 1


if __name__ == "__main__":
    sys.exit(main())
