"""A thread that sleeps without asking costs its worker, and nobody else anything."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

from tests.server.conftest import StartRole
from tests.server.test_probes_survive import booted, is_running
from tests.server.watching import watching

APPLICATION = "tests.testapp.waiting:application"
TIMEOUT, LATER = 3.0, 2.0  # of the worker; see tests/testapp/waiting.py


def test_a_stalled_worker_is_replaced_while_everybody_else_is_served(start_role: StartRole) -> None:
    arguments = ("--timeout", f"{TIMEOUT:g}", APPLICATION)
    with (
        start_role("web", *arguments, env={"WEB_CONCURRENCY": "2"}) as web,
        ThreadPoolExecutor(1) as client,
    ):
        web.wait_until(lambda: len(booted(web)) == 2)
        before = set(booted(web))
        started = time.monotonic()
        stuck = client.submit(web.get, "/sleep/60/", timeout=60)
        with watching(lambda: web.get("/fast/")[0].status, threads=3) as fast:
            told = json.loads(web.wait_for_line("request stalled"))
            web.wait_until(lambda: len(booted(web)) == 3, 5)
            replaced = time.monotonic() - started
            served = fast.total
            web.wait_until(lambda: fast.total > served + 100, 20)

        assert fast.answers.keys() == {200}
        assert TIMEOUT + LATER < replaced < TIMEOUT + LATER + 5, replaced
        assert isinstance(stuck.exception(5), ConnectionError)
        assert not is_running(told["pid"])
        assert (before - {told["pid"]}) < set(booted(web))
        assert told["level"] == "error"
        assert (told["path"], told["route"]) == ("/sleep/60/", "sleep/<int:seconds>/")
        assert told["request_id"]
        assert "waiting.py" in told["stack"]
        assert "time.sleep(seconds)" in told["stack"]


def test_a_request_that_runs_beside_a_stalled_one_is_answered(start_role: StartRole) -> None:
    """It began when the worker had stopped accepting nothing yet, and ends after it has."""
    arguments = ("--timeout", f"{TIMEOUT:g}", APPLICATION)
    with (
        start_role("web", *arguments, env={"WEB_CONCURRENCY": "1"}) as web,
        ThreadPoolExecutor(2) as clients,
    ):
        stuck = clients.submit(web.get, "/sleep/60/", timeout=60)
        time.sleep(TIMEOUT + LATER - 1)
        beside = clients.submit(web.get, "/sleep/3/", timeout=60)
        web.wait_for_line("request stalled")
        assert not beside.done()
        response, body = beside.result()
        assert (response.status, body) == (200, b"awake")
        assert isinstance(stuck.exception(5), ConnectionError)
        web.wait_until(lambda: len(booted(web)) == 2, 5)
        assert web.get("/fast/")[0].status == 200


def test_a_request_that_is_slow_and_no_more_keeps_its_worker(start_role: StartRole) -> None:
    with start_role("web", "--timeout", f"{TIMEOUT:g}", APPLICATION) as web:
        assert web.get(f"/sleep/{TIMEOUT:g}/")[0].status == 200
        time.sleep(LATER + 1)
        assert len(booted(web)) == 2
