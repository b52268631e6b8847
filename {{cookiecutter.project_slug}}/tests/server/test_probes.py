"""The probes of the web process, asked as Kubernetes and Prometheus ask them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from core.health import services
from core.health.database import INTERVAL
from scripts.servers import PgBouncer, Postgres, Valkey
from tests.server.conftest import StartRole
from tests.server.roles import Role, Running

# By the pod's address and over plain HTTP: no host of ALLOWED_HOSTS, no proxy that vouches.
AS_KUBELET = {"Host": "10.1.2.3:8000", "X-Forwarded-Proto": "http"}
# A session that no cache knows: the admin asks the database for it.
NEEDS_DATABASE = {"Host": "admin.service.test", "Cookie": "__Host-session=" + "a" * 32}
THREADS = 8  # WEB_CONCURRENCY 2 times THREADS 4 of `production_env`


def status(web: Running, path: str, *, port: int | None = None, timeout: float = 5) -> int:
    response, _ = web.get(path, port=port or web.metrics_port, timeout=timeout, headers=AS_KUBELET)
    return response.status


def metric(web: Running, name: str) -> float:
    _, body = web.get("/metrics", port=web.metrics_port)
    values = dict(line.rsplit(" ", 1) for line in body.decode().splitlines() if line[0] != "#")
    return float(values[name])


def wait_until_ready(web: Role) -> None:
    web.wait_until(lambda: status(web, "/readyz") == 200, 5)


@contextmanager
def every_thread_waits_for_the_database(
    web: Role, threads: int = THREADS
) -> Iterator[list[Future[float]]]:
    """As many requests as there are threads, none of which has an answer."""
    started = time.monotonic()

    def ask() -> float:
        web.get("/admin/", headers=NEEDS_DATABASE, timeout=60)
        return time.monotonic() - started

    with ThreadPoolExecutor(threads) as clients:
        asked = [clients.submit(ask) for _ in range(threads)]
        web.wait_until(lambda: metric(web, "service_requests_running") == threads, 5)
        yield asked


def test_probes_are_answered_on_both_ports_by_address_and_without_https(
    start_role: StartRole,
) -> None:
    with start_role("web") as web:
        wait_until_ready(web)
        for port in (web.port, web.metrics_port):
            for path in ("/livez", "/readyz", "/__lbheartbeat__", "/__version__"):
                response, body = web.get(path, port=port, headers=AS_KUBELET)
                assert response.status == 200, path
                assert response.getheader("Cache-Control") == "no-store"
            assert json.loads(body)["version"] == "test-release"


def test_the_rest_of_the_port_refuses_strangers_and_shows_no_metrics(start_role: StartRole) -> None:
    with start_role("web") as web:
        assert status(web, "/", port=web.port) in (301, 400)
        assert web.get("/metrics")[0].status == 404


def test_livez_answers_within_250_ms_while_every_thread_waits_for_a_frozen_database(
    start_role: StartRole, postgres: Postgres
) -> None:
    with start_role("web") as web:
        wait_until_ready(web)
        postgres.freeze()
        with every_thread_waits_for_the_database(web) as requests:
            seconds = []
            for _ in range(200):
                started = time.monotonic()
                assert status(web, "/livez") == 200
                seconds.append(time.monotonic() - started)
            # The control: on the port of the application the same probe has nobody to answer it.
            with pytest.raises(TimeoutError):
                status(web, "/livez", port=web.port, timeout=1)
            assert not any(request.done() for request in requests)
            postgres.thaw()

    seconds.sort()
    assert seconds[100] < 0.25
    assert seconds[190] < 1  # a few slow schedulings of a busy machine, no wait for the database


def test_readyz_goes_down_15_s_after_the_primary_and_returns_within_5_s(
    start_role: StartRole, postgres: Postgres
) -> None:
    with start_role("web") as web:
        wait_until_ready(web)
        postgres.kill()
        died = time.monotonic()
        web.wait_until(lambda: status(web, "/readyz") == 503, 25)
        down = time.monotonic() - died
        assert status(web, "/readyz", port=web.port) == 503
        assert status(web, "/livez") == status(web, "/livez", port=web.port) == 200

        postgres.start()
        back = time.monotonic()
        web.wait_until(lambda: status(web, "/readyz") == 200, 10)
        up = time.monotonic() - back
        assert status(web, "/readyz", port=web.port) == 200

    assert 12 < down < 20  # the last check before the death is up to 2 s old
    assert up < 5
    changes = [line["message"] for line in web.logs if line["logger"] == "core.probes.monitor"]
    assert changes[0] == changes[2] == "Ready."
    assert changes[1].startswith("Not ready: the primary database")


def test_readyz_returns_within_5_s_of_a_thaw(start_role: StartRole, pgbouncer: PgBouncer) -> None:
    with start_role("web") as web:
        wait_until_ready(web)
        pgbouncer.freeze()
        web.wait_until(lambda: status(web, "/readyz") == 503, 18)
        pgbouncer.thaw()
        web.wait_until(lambda: status(web, "/readyz") == 200, 5)


def test_readyz_is_asked_of_one_worker_at_a_time_on_one_connection(
    start_role: StartRole, postgres: Postgres
) -> None:
    direct = postgres.url("app", database="server_tests")
    with start_role("web", env={"DATABASE_URL": direct, "WEB_CONCURRENCY": "3"}) as web:
        wait_until_ready(web)
        asking = "SELECT pid FROM pg_stat_activity WHERE application_name = 'service-under-test'"
        web.wait_until(lambda: len(postgres.psql(asking).split()) == 1, 10)
        seen: set[str] = set()
        until = time.monotonic() + 3 * INTERVAL
        while time.monotonic() < until:
            seen.update(postgres.psql(asking).split())
            time.sleep(0.1)
        # Three if each worker asked; a second when a slow machine makes another one take over.
        assert len(seen) <= 2


def test_cache_and_broker_never_flip_readyz(
    start_role: StartRole, cache_server: Valkey, broker_server: Valkey
) -> None:
    with start_role("web") as web:
        wait_until_ready(web)
        cache_server.kill()
        broker_server.freeze()
        response, body = web.get("/__heartbeat__")
        report = json.loads(body)
        assert response.status == 500
        assert report["checks"] | {"cache": "error", "broker": "error"} == report["checks"]
        assert report["checks"]["database"] == "ok"
        assert status(web, "/readyz") == 200
        assert status(web, "/readyz", port=web.port) == 200


def test_the_heartbeat_answers_in_time_while_everything_behind_it_is_frozen(
    start_role: StartRole, postgres: Postgres, cache_server: Valkey, broker_server: Valkey
) -> None:
    with start_role("web") as web:
        wait_until_ready(web)
        for server in (postgres, cache_server, broker_server):
            server.freeze()
        seconds = []
        for _ in range(3):
            started = time.monotonic()
            response, body = web.get("/__heartbeat__", timeout=30)
            seconds.append(time.monotonic() - started)
            assert response.status == 500
            assert set(json.loads(body)["checks"].values()) == {"error"}
            time.sleep(services.FRESH + 0.1)  # each answer is one of its own
        assert 0.4 < min(seconds) < 1.5, seconds
