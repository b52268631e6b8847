"""A process that outlives its owner by seconds, to stop what the owner started.

A supervisor or a test run that dies of SIGKILL cannot stop its children. This process reads a pipe
whose only writer is the owner; when the pipe closes, it stops every process it was told of, the
last started first, with all their descendants.

Weighed: PR_SET_PDEATHSIG reaches direct children only (Celery's pool, gunicorn's workers stay),
fires when the *thread* that forked ends, and does not exist on macOS; honcho and supervisord leave
orphans; a cgroup needs root or systemd.

Run by path with the standard library alone, so that it starts in 20 ms.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

_POLL = 0.01  # seconds between two looks at a tree that was asked to stop


class Entry(NamedTuple):
    """One living process. `started` tells it from a later one with the same number."""

    pid: int
    parent: int
    session: int
    started: str


def living() -> dict[int, Entry]:
    """Every process that runs now. Not zombies: those hold nothing and wait for their parent."""
    if Path("/proc/self/stat").exists():
        entries = map(_entry, (int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()))
        return {entry.pid: entry for entry in entries if entry}
    listing = subprocess.run(  # macOS has no /proc and no session in ps; the group stands in
        ["ps", "-axo", "pid=,ppid=,pgid=,stat="], capture_output=True, text=True, check=True
    )
    rows = (line.split() for line in listing.stdout.splitlines())
    return {
        int(pid): Entry(int(pid), int(parent), int(group), "")
        for pid, parent, group, state in rows
        if not state.startswith("Z")
    }


def _entry(pid: int) -> Entry | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    # The name stands in parentheses and may hold spaces and parentheses of its own.
    fields = stat.rpartition(")")[2].split()
    if fields[0] in "ZX":
        return None
    return Entry(pid, int(fields[1]), int(fields[3]), fields[19])


def tree(root: int) -> list[Entry]:
    """`root`, its descendants, and whoever else is in its session, parents first."""
    everyone = living()
    members = {
        pid: entry for pid, entry in everyone.items() if pid == root or entry.session == root
    }
    grew = True
    while grew:
        more = {
            pid: entry
            for pid, entry in everyone.items()
            if pid not in members and entry.parent in members
        }
        members.update(more)
        grew = bool(more)
    return sorted(members.values(), key=lambda entry: (entry.pid != root, entry.pid))


def still(entries: list[Entry]) -> list[Entry]:
    """Those of `entries` that run yet; a number that was given to another process is not one."""
    now = living()
    return [e for e in entries if e.pid in now and now[e.pid].started == e.started]


def send(entries: list[Entry], number: int) -> None:
    """Signal each of `entries` that is still the process it was."""
    for entry in still(entries):
        try:
            os.kill(entry.pid, number)
        except ProcessLookupError:
            continue


def gone(entries: list[Entry], seconds: float) -> bool:
    """Wait until none of `entries` runs; False when one is left after `seconds`."""
    deadline = time.monotonic() + seconds
    while still(entries):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL)
    return True


def end(root: int, number: int, grace: float) -> None:
    """Ask the tree of `root` to stop by signal `number`; kill the rest after `grace` seconds."""
    members = tree(root)
    send(members, signal.SIGCONT)  # a frozen process handles no other signal
    send([entry for entry in members if entry.pid == root], number)
    gone(members, grace)
    while survivors := still([*members, *tree(root)]):
        send(survivors, signal.SIGKILL)
        gone(survivors, grace)


def main() -> None:
    """Read `watch <pid> <signal> <grace>` and `forget <pid>` until the owner is gone."""
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    watched: dict[int, tuple[int, float]] = {}
    for line in sys.stdin:
        verb, pid, *rest = line.split()
        if verb == "watch":
            watched[int(pid)] = (int(rest[0]), float(rest[1]))
        else:
            watched.pop(int(pid), None)
    for pid, (number, grace) in reversed(watched.items()):
        end(pid, number, grace)


if __name__ == "__main__":
    main()
