"""A table is dropped by mistake while it is written to; the database returns to a second before.

The archive holds every commit, so what is restored is compared with what stood in the table at that
second, to the row: by the time of each row's commit, which the server keeps. The dump of the night
before knows nothing of the day.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

from drills.drill import OURS, Drill
from drills.report import Figures
from scripts.servers import DEBIAN, PgBackRest, Postgres, ServerError

INJECTED = "`DROP TABLE` under load; restore to one second before"
NAIVE = "the dump of the night before"
BITES = "lost"
# Milliseconds: nobody waits for the table that is away, each is refused at once.
BOUNDS = {"worst_ms": 15_000}
# pgBackRest of a release of Debian knows that release's PostgreSQL, and none that came later.
PROGRAMS = DEBIAN

# The rows of the table, by their number and a sum that changes with any of their values.
_SUMS = (
    "SELECT count(*), coalesce(sum(('x' || left(md5(request_id::text || at), 15))::bit(60)::bigint"
    "::numeric), 0) FROM drill_order"
)
_IDS = "SELECT request_id FROM drill_order"


def run(drill: Drill) -> Figures:
    service, postgres = drill.service, drill.service.postgres
    folder = postgres.directory.with_name("archive")
    archive = PgBackRest(folder, postgres)
    archive.prepare()
    service.postgres_by(archive.settings | {"track_commit_timestamp": "on"})
    archive.backup()
    dump = _tool(postgres, "pg_dump", "--format=custom")
    with service.roles("web") as roles, drill.load(roles["web"], path=OURS, rate=20) as load:
        load.hold(drill.seconds(10, 4))
        at = postgres.psql("SELECT clock_timestamp() - interval '1 second'")
        until = f" WHERE pg_xact_commit_timestamp(xmin) <= '{at}'"
        stood, ids = postgres.psql(_SUMS + until), set(postgres.psql(_IDS + until).split())
        assert ids, "nothing was written before the fault"
        drill.strike(lambda: postgres.psql("DROP TABLE drill_order", role="migrator"))
        found: list[str] = []

        def restore() -> None:
            if drill.is_control:
                _tool(postgres, "pg_restore", "--no-owner", "--table=drill_order", content=dump)
                found.extend([postgres.psql(_SUMS), *postgres.psql(_IDS).split()])
                return
            archive.await_all()
            restored = archive.restored(folder.with_name("restored"), at).start()
            found.extend([restored.psql(_SUMS), *restored.psql(_IDS).split()])
            postgres.stop()
            service.fail_over(restored)

        drill.heal(restore)
        load.hold(drill.seconds(10, 4))
        figures = drill.figures(patience=0, promises=False)
    sums, *kept = found
    size = sum(path.stat().st_size for path in archive.repository.rglob("*") if path.is_file())
    print(
        f"D-27: {stood.split('|')[0]} rows stood, {len(ids & set(kept))} of them are back; "
        f"checksums {'equal' if sums == stood else 'differ'}; {drill.seconds_to_heal:.1f} s "
        f"from the drop to the service on the restored rows; {size / 2**20:.0f} MiB of archive",
        file=sys.stderr,
    )
    # Rows that are back with other values are lost as well.
    lost = len(ids - set(kept)) or (len(ids) if sums != stood else 0)
    return replace(figures, lost=lost)


def _tool(postgres: Postgres, name: str, *arguments: str, content: bytes = b"") -> bytes:
    """PostgreSQL's own `name`, as the owner of the tables. Raises `ServerError`."""
    done = subprocess.run(
        [postgres.programs / name, *arguments, f"--dbname={postgres.url('migrator')}"],
        input=content,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise ServerError(f"{name}: {done.stderr.decode()}")
    return done.stdout
