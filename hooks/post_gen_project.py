"""Prints the next three commands. It writes nothing, asks nothing and needs no network."""

import shlex
import sys
from pathlib import Path


def main() -> None:
    sys.stdout.write(
        "\nThe service is ready. Next:\n"
        f"  cd {shlex.quote(str(Path.cwd()))}\n"
        "  make run     # PostgreSQL, Valkey, web, worker, beat and relay; prints the URL\n"
        "  make test    # every test, on real servers\n"
    )


if __name__ == "__main__":
    main()
