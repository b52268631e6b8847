"""Ten thousand requests, and clients that leave in the middle of a query, leave no connection."""

from __future__ import annotations

import asyncio
from collections import Counter

from psycopg import connect
from psycopg.rows import dict_row

from scripts.servers import HOST, PgBouncer, Postgres
from tests.server.conftest import DATABASE, StartStreams
from tests.server.roles import Running
from tests.server.test_probes import metric

REQUESTS = 9_200
LEAVING = 500
AFTERWARDS = 400
AT_A_TIME = 40
POOL = 4
WATCH = 1  # the connection of readiness

_HEAD = "Host: service.test\r\nX-Forwarded-Proto: https\r\n\r\n"
PATHS = ("/stream/thread/", "/stream/loop/")
SLOW = ("/stream/slow/", "/stream/slow-thread/")


async def keep_asking(streams: Running, numbers: range, answers: Counter[bytes]) -> None:
    """One client on one connection, one request after another."""
    reader, writer = await asyncio.open_connection(HOST, streams.port)
    for number in numbers:
        writer.write(f"GET {PATHS[number % 2]} HTTP/1.1\r\n{_HEAD}".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        answers[head.split(b" ", 2)[1]] += 1
        _, _, rest = head.lower().partition(b"content-length: ")
        await reader.readexactly(int(rest.split(b"\r\n", 1)[0]))
    writer.close()


async def ask_and_leave(streams: Running, path: str, seconds: float) -> None:
    _, writer = await asyncio.open_connection(HOST, streams.port)
    writer.write(f"GET {path} HTTP/1.1\r\n{_HEAD}".encode())
    await asyncio.sleep(seconds)
    writer.close()


async def ask_all(streams: Running, requests: int) -> Counter[bytes]:
    answers: Counter[bytes] = Counter()
    each = requests // AT_A_TIME
    await asyncio.gather(
        *(keep_asking(streams, range(each), answers) for _ in range(AT_A_TIME)),
    )
    return answers


async def leave_all(streams: Running) -> None:
    for start in range(0, LEAVING, AT_A_TIME):
        numbers = range(start, min(start + AT_A_TIME, LEAVING))
        # Before the query, in the middle of it, and while waiting for a connection of the pool.
        await asyncio.gather(
            *(ask_and_leave(streams, SLOW[n % 2], 0.05 + n % 5 / 20) for n in numbers)
        )


def clients(postgres: Postgres, pgbouncer: PgBouncer) -> int:
    """The connections of the process to the pooler."""
    password = postgres.password("pgbouncer")
    address = {"host": HOST, "port": pgbouncer.port, "dbname": "pgbouncer", "user": "pgbouncer"}
    with connect(**address, password=password, autocommit=True, row_factory=dict_row) as console:  # type: ignore[arg-type]
        rows = console.execute("SHOW CLIENTS").fetchall()
    return sum(row["database"] == DATABASE for row in rows)


def test_ten_thousand_requests_and_five_hundred_that_leave(
    start_streams: StartStreams, postgres: Postgres, pgbouncer: PgBouncer
) -> None:
    before = clients(postgres, pgbouncer)
    with start_streams({"THREADS": str(POOL)}) as streams:
        assert asyncio.run(ask_all(streams, REQUESTS)) == {b"200": REQUESTS}
        assert clients(postgres, pgbouncer) - before <= POOL + WATCH
        asyncio.run(leave_all(streams))
        streams.wait_until(lambda: metric(streams, "service_requests_running") == 0, 30)
        assert clients(postgres, pgbouncer) - before <= POOL + WATCH
        # All of the pool is there to be used, which a lost connection would not be.
        assert asyncio.run(ask_all(streams, AFTERWARDS)) == {b"200": AFTERWARDS}
        busy = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app' AND state <> 'idle'"
        assert postgres.psql(busy) == "0"
