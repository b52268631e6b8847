"""What a request with one query costs by how its connection is kept, in CPU.

    python -m scripts.bench.connections

Through PgBouncer, in one process: kept by the thread, of psycopg's pool, and opened each time. The
three take turns, so that a noisy machine is noisy for all; what counts is the ratio.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.servers import ServerError, Stack
from scripts.servers.pgbouncer import INSTALL

ROUNDS, REQUESTS = 9, 300
KINDS = ("kept", "pool", "opened")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="connection-cost-") as folder:
        stack = Stack(Path(folder), throw_away=True, pooler=True)
        if stack.pgbouncer is None:
            raise ServerError(f"This needs PgBouncer: {INSTALL}")
        with stack:
            taken: dict[str, list[float]] = {kind: [] for kind in KINDS}
            for _ in range(ROUNDS):
                for kind in KINDS:
                    taken[kind].append(one(stack, kind))
    medians = {kind: statistics.median(found) for kind, found in taken.items()}
    for kind, median in medians.items():
        print(f"{kind:7} {median:7.0f} us of CPU, {median / medians['kept']:.2f} times")


def one(stack: Stack, kind: str) -> float:
    """Microseconds of CPU for a request, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE.format(kind=kind, requests=REQUESTS)],
        env=os.environ
        | stack.variables
        | {"DJANGO_SETTINGS_MODULE": "config.settings.test", "SECRET_KEY": "x" * 30 + "abcde" * 5},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


MEASURE = """
import time
from config.settings.components.database import DATABASES
from core.db.connection import pooled
if "{kind}" == "pool":
    DATABASES["default"] = pooled(DATABASES["default"], max_size=4)
if "{kind}" == "opened":
    DATABASES["default"]["CONN_MAX_AGE"] = 0
import django
django.setup()
from django.core import signals
from django.db import connection

def request():
    signals.request_started.send(None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchall()
    signals.request_finished.send(None)

for _ in range(30):
    request()
before = time.process_time()
for _ in range({requests}):
    request()
print((time.process_time() - before) / {requests} * 1_000_000)
"""

if __name__ == "__main__":
    main()
