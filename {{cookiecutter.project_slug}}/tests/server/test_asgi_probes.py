"""The streaming process: its probes, a blocked event loop, its end."""

from __future__ import annotations

import signal
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from scripts.servers import Postgres, Process, free_port
from tests.server.conftest import StartRole, StartStreams
from tests.server.test_probes import AS_KUBELET, metric, status, wait_until_ready


def test_probes_are_answered_on_both_ports_by_address_and_without_https(
    start_role: StartRole,
) -> None:
    with start_role("asgi") as asgi:
        wait_until_ready(asgi)
        for port in (asgi.port, asgi.metrics_port):
            for path in ("/livez", "/readyz", "/__lbheartbeat__", "/__version__"):
                response, _ = asgi.get(path, port=port, headers=AS_KUBELET)
                assert response.status == 200, path
        assert asgi.get("/__heartbeat__")[0].status == 200
        assert asgi.get("/nowhere")[0].status == 404
        asgi.signal(signal.SIGTERM)
        assert asgi.wait_for_exit() == 0


def test_a_taken_management_port_ends_the_start_with_one_sentence(start_role: StartRole) -> None:
    with start_role("asgi") as first:
        taken = {"METRICS_PORT": str(first.metrics_port), "ASGI_PORT": str(free_port())}
        with start_role("asgi", env=taken, ready=lambda role: True) as second:
            assert second.wait_for_exit() == 3
            assert second.logs
            assert f":{first.metrics_port} cannot be bound" in second.output


def test_a_blocked_event_loop_fails_livez_and_recovers(
    start_role: StartRole, production_env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [sys.executable, "-m", "tests.testapp.blocked_loop"]
    monkeypatch.setattr(
        "tests.server.roles.Process",
        lambda name, _, **options: Process(name, command, **options),
    )
    with start_role("asgi") as asgi, ThreadPoolExecutor(1) as client:
        wait_until_ready(asgi)
        blocking = client.submit(asgi.get, "/block?5", timeout=20)
        assert status(asgi, "/livez") == 200
        asgi.wait_until(lambda: status(asgi, "/livez") == 503, 4)
        assert status(asgi, "/readyz") == 503
        assert not blocking.done()
        assert blocking.result()[0].status == 200
        asgi.wait_until(lambda: status(asgi, "/livez") == status(asgi, "/readyz") == 200, 3)


def test_requests_share_a_pool_of_as_many_connections_as_threads(
    start_streams: StartStreams, postgres: Postgres
) -> None:
    direct = {"DATABASE_URL": postgres.url("app", database="server_tests")}
    with start_streams({**direct, "THREADS": "2"}) as asgi:
        with ThreadPoolExecutor(20) as clients:
            asked = [clients.submit(asgi.get, "/stream/thread/") for _ in range(100)]
            assert {each.result()[0].status for each in asked} == {200}
        count = (
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'service-under-test'"
        )
        assert int(postgres.psql(count)) <= 2 + 1  # and the watch's own


def test_a_stopping_process_is_alive_and_not_ready_until_its_last_stream_has_ended(
    start_streams: StartStreams,
) -> None:
    with start_streams() as asgi, ThreadPoolExecutor(1) as client:
        streaming = client.submit(asgi.get, "/stream/events/0.5/", timeout=20)
        asgi.wait_until(lambda: metric(asgi, "service_requests_running") == 1, 5)
        asgi.signal(signal.SIGTERM)
        asgi.wait_until(lambda: status(asgi, "/readyz") == 503, 1)
        assert status(asgi, "/livez") == 200
        assert not streaming.done()
        assert streaming.result()[1].count(b"data:") >= 8
        assert asgi.wait_for_exit() == 0
