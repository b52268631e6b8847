"""Run drills, each on servers of its own, and print a line of JSON for each: see `drills`."""

from __future__ import annotations

import argparse
import importlib
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from drills.report import HEADER, Figures, Story, row, verdict
from scripts.servers import ServerError

FILES = sorted(Path(__file__).parent.glob("d[0-9][0-9]_*.py"))
DRILLS = {path.name[1:3]: path.stem for path in FILES}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make drills", description=__doc__)
    parser.add_argument("number", nargs="?", help=f"one of {' '.join(DRILLS)}; without it, all")
    parser.add_argument("--control", action="store_true", help="the naive configuration must fail")
    parser.add_argument("--table", action="store_true", help="both, as a table in Markdown")
    parser.add_argument("--pool", action="store_true", help="psycopg's pool in the web process")
    options = parser.parse_args()
    number = options.number and options.number.upper().removeprefix("D-").zfill(2)
    if number and number not in DRILLS:
        parser.error(f"there is no drill {options.number}; there are {', '.join(DRILLS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped
    chosen = {number: DRILLS[number]} if number else DRILLS
    from tests.stack import DIRECTORY  # made by the import, for servers that no drill starts

    try:
        if options.table:
            print(HEADER)
            passed = [in_table(number, name) for number, name in chosen.items()]
        else:
            passed = [
                one(number, name, options.control, pool=options.pool)
                for number, name in chosen.items()
            ]
    except ServerError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(DIRECTORY, ignore_errors=True)
    return 0 if all(passed) else 1


def one(number: str, name: str, is_control: bool, *, pool: bool = False) -> bool:
    """Run one drill. True when ours holds, or when the naive configuration fails as it should."""
    story, figures = played(number, name, is_control, pool=pool)
    passed, told = verdict(story, figures, is_control=is_control)
    print(figures.line(passed=not figures.broken(story.BOUNDS)))
    print(told, file=sys.stderr, flush=True)
    return passed


def in_table(number: str, name: str) -> bool:
    """Run one drill in both configurations. True when ours holds and the naive one fails."""
    passed = []
    found = []
    for is_control in (True, False):
        story, figures = played(number, name, is_control)
        holds, told = verdict(story, figures, is_control=is_control)
        print(told, file=sys.stderr, flush=True)
        passed.append(holds)
        found.append(figures)
    print(row(number, story, *found), flush=True)
    return all(passed)


def played(
    number: str, name: str, is_control: bool, *, pool: bool = False
) -> tuple[Story, Figures]:
    from drills.drill import Drill
    from drills.service import Service

    story: Any = importlib.import_module(f"drills.{name}")
    with (
        tempfile.TemporaryDirectory(prefix="service-drill-") as folder,
        Service(Path(folder), pool=pool, programs=getattr(story, "PROGRAMS", None)) as service,
    ):
        return story, story.run(Drill(service, f"D-{number}", is_control=is_control))


if __name__ == "__main__":
    sys.exit(main())
