"""The management port while workers and masters come and go."""

from __future__ import annotations

import os
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from scripts.servers import Postgres
from scripts.servers.server import port_is_free
from tests.server.conftest import UNMEASURED, StartRole
from tests.server.roles import Role
from tests.server.test_probes import (
    NEEDS_DATABASE,
    every_thread_waits_for_the_database,
    metric,
    status,
    wait_until_ready,
)
from tests.server.watching import watching


def booted(web: Role) -> list[int]:
    found = (re.search(r"Booting worker with pid: (\d+)", line) for line in web.lines)
    return [int(match[1]) for match in found if match]


def is_running(pid: int) -> bool:
    stat = Path("/proc", str(pid), "stat")
    return stat.exists() and stat.read_text().rpartition(") ")[2][0] != "Z"


def test_probes_and_requests_survive_the_recycling_of_workers(start_role: StartRole) -> None:
    arguments = ("--max-requests", "40", "--max-requests-jitter", "20")
    with start_role("web", *arguments, env=UNMEASURED) as web:
        wait_until_ready(web)
        with (
            watching(lambda: status(web, "/livez")) as livez,
            watching(lambda: status(web, "/readyz")) as readyz,
            watching(lambda: web.get("/nowhere")[0].status, threads=2) as requests,
        ):
            web.wait_until(lambda: len(booted(web)) >= 8, 60)

    assert livez.answers.keys() == readyz.answers.keys() == {200}
    assert requests.answers.keys() == {404}
    assert livez.total > 100


def test_probes_and_requests_survive_a_hup_under_load(start_role: StartRole) -> None:
    with start_role("web", env=UNMEASURED) as web:
        wait_until_ready(web)
        with (
            watching(lambda: status(web, "/livez")) as livez,
            watching(lambda: status(web, "/readyz")) as readyz,
            watching(lambda: web.get("/nowhere")[0].status, threads=2) as requests,
        ):
            for _ in range(5):
                before = len(booted(web))
                web.signal(signal.SIGHUP)
                web.wait_until(partial(lambda wanted: len(booted(web)) >= wanted, before + 2), 60)
                web.wait_until(lambda: metric(web, "service_workers") == 2, 20)

    assert livez.answers.keys() == readyz.answers.keys() == {200}
    assert requests.answers.keys() == {404}


def test_probes_survive_a_usr2_and_the_end_of_the_old_master(start_role: StartRole) -> None:
    with start_role("web", env=UNMEASURED) as web:
        wait_until_ready(web)
        old = web.pid
        with (
            watching(lambda: status(web, "/livez")) as livez,
            watching(lambda: status(web, "/readyz")) as readyz,
            watching(lambda: web.get("/nowhere")[0].status, threads=2) as requests,
        ):
            web.signal(signal.SIGUSR2)
            web.wait_until(lambda: len(booted(web)) == 4, 60)
            new = master_of(booted(web)[-1])
            assert new != old
            web.wait_for_line(lambda line: "Ready." in line and f'"pid":{new}' in line, 60)
            os.kill(old, signal.SIGTERM)
            web.wait_for_exit()
            web.wait_for_line("Master has been promoted.")
            livez.wait_for_more()
        try:
            assert livez.answers.keys() == readyz.answers.keys() == {200}
            assert requests.answers.keys() == {404}
            assert metric(web, "service_workers") == 2
        finally:
            os.kill(new, signal.SIGTERM)
        wait_for_end(new)
        assert port_is_free(web.metrics_port)


def test_a_usr2_that_is_taken_back_leaves_the_old_master_answering(start_role: StartRole) -> None:
    with start_role("web", env=UNMEASURED) as web:
        wait_until_ready(web)
        with watching(lambda: status(web, "/readyz")) as readyz:
            web.signal(signal.SIGUSR2)
            web.wait_until(lambda: len(booted(web)) == 4, 60)
            new = master_of(booted(web)[-1])
            web.wait_for_line(lambda line: "Ready." in line and f'"pid":{new}' in line, 60)
            os.kill(new, signal.SIGTERM)
            wait_for_end(new)
            readyz.wait_for_more()
        assert readyz.answers.keys() == {200}


def test_livez_fails_when_every_thread_is_stuck_for_longer_than_the_timeout_and_recovers(
    start_role: StartRole, postgres: Postgres
) -> None:
    # One thread, whose connection is open before the freeze, and no pooler that ends its query.
    direct = {"DATABASE_URL": postgres.url("app", database="server_tests")}
    one = {"WEB_CONCURRENCY": "1", "THREADS": "1"}
    with start_role("web", "--timeout", "3", env={**direct, **one}) as web:
        wait_until_ready(web)
        assert web.get("/admin/", headers=NEEDS_DATABASE)[0].status == 302
        postgres.freeze()
        with every_thread_waits_for_the_database(web, threads=1):
            stuck = time.monotonic()
            assert status(web, "/livez") == 200
            web.wait_until(lambda: status(web, "/livez") == 503, 15)
            assert time.monotonic() - stuck > 3
            assert metric(web, "service_workers_working") == 0
            postgres.thaw()
        web.wait_until(lambda: status(web, "/livez") == 200, 5)


def test_one_killed_worker_is_replaced_and_no_probe_notices(start_role: StartRole) -> None:
    with start_role("web", env={"WEB_CONCURRENCY": "1"}) as web:
        wait_until_ready(web)
        with watching(lambda: (status(web, "/livez"), status(web, "/readyz"))) as probes:
            os.kill(booted(web)[0], signal.SIGKILL)
            web.wait_until(lambda: len(booted(web)) == 2, 10)
            web.wait_until(lambda: metric(web, "service_workers_working") == 1, 10)
        assert probes.answers.keys() == {(200, 200)}


def test_a_stopping_service_is_alive_and_not_ready_until_its_last_request_is_answered(
    start_role: StartRole, postgres: Postgres
) -> None:
    # One thread, whose connection is open before the freeze: a new one would wait for 3 s only.
    direct = {"DATABASE_URL": postgres.url("app", database="server_tests")}
    one = {"WEB_CONCURRENCY": "1", "THREADS": "1"}
    with (
        start_role("web", env={**direct, **one, **UNMEASURED}) as web,
        ThreadPoolExecutor(1) as client,
    ):
        wait_until_ready(web)
        assert web.get("/admin/", headers=NEEDS_DATABASE)[0].status == 302
        postgres.freeze()
        request = client.submit(web.get, "/admin/", headers=NEEDS_DATABASE, timeout=30)
        web.wait_until(lambda: metric(web, "service_requests_running") == 1, 5)
        web.signal(signal.SIGTERM)
        web.wait_until(lambda: status(web, "/readyz") == 503, 5)
        web.wait_until(lambda: metric(web, "service_workers") == 1, 5)
        response, body = web.get("/readyz", port=web.metrics_port)
        assert (response.status, body) == (503, b"draining\n")
        assert status(web, "/livez") == 200
        postgres.thaw()

        assert request.result()[0].status == 302
        assert web.wait_for_exit() == 0


def test_no_connection_to_the_database_is_opened_before_the_fork(
    start_role: StartRole, postgres: Postgres
) -> None:
    direct = {"DATABASE_URL": postgres.url("app", database="server_tests")}
    with start_role("web", env=direct) as web:
        wait_until_ready(web)
        assert sockets_to(postgres.port, of=web.pid) == 0
        assert sum(sockets_to(postgres.port, of=worker) for worker in booted(web)) == 1


def test_workers_let_go_of_the_management_port(start_role: StartRole) -> None:
    with start_role("web", env=UNMEASURED) as web:
        wait_until_ready(web)
        assert web.metrics_port in listens_on(web.pid)
        for worker in booted(web):
            assert web.port in listens_on(worker)
            assert web.metrics_port not in listens_on(worker)


def test_a_taken_management_port_ends_the_start_with_one_sentence(start_role: StartRole) -> None:
    with start_role("web") as first:
        taken = {"METRICS_PORT": str(first.metrics_port)}
        with start_role("web", env=taken, ready=lambda role: True) as second:
            assert second.wait_for_exit() == 1
            said = [line["message"] for line in second.logs if line["level"] == "error"]
            wanted = (
                f"The management port 0.0.0.0:{first.metrics_port} cannot be bound: "
                "Address already in use; METRICS_PORT moves it."
            )
            assert said == [wanted]


def master_of(worker: int) -> int:
    return int(Path("/proc", str(worker), "stat").read_text().rpartition(") ")[2].split()[1])


def wait_for_end(pid: int, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while is_running(pid):
        assert time.monotonic() < deadline, f"process {pid} still runs"
        time.sleep(0.02)


def sockets(pid: int) -> list[tuple[int, int, bool]]:
    """Of a process: own port, the peer's port, whether it listens."""
    links = (str(each.readlink()) for each in Path("/proc", str(pid), "fd").iterdir())
    own = {link[8:-1] for link in links if link.startswith("socket:")}
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [
        (int(local.rpartition(":")[2], 16), int(remote.rpartition(":")[2], 16), state == "0A")
        for _, local, remote, state, *_, inode in (row[:10] for row in rows)
        if inode in own
    ]


def sockets_to(port: int, *, of: int) -> int:
    return sum(remote == port for _, remote, _ in sockets(of))


def listens_on(pid: int) -> set[int]:
    return {local for local, _, listens in sockets(pid) if listens}
