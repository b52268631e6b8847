from __future__ import annotations

import logging
import os
import re
import tempfile
import threading
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import resolve

from apps.home import panels, processes
from apps.home.dependencies import dependencies
from apps.home.logs import LIVE_ROUTE, NotTheRefresh
from apps.home.panels import Cell, Table
from config.celery import app
from core import heartbeat
from core.probes.answers import Probes
from core.probes.management import ManagementServer, listen
from scripts.servers import PgBouncer, Postgres, Valkey

LIVE = f"/{LIVE_ROUTE}"


@pytest.fixture
def development(settings: Any) -> None:
    settings.DEBUG = True


@pytest.fixture(autouse=True)
def _no_answer_of_another_test() -> Iterator[None]:
    """A question that a frozen server left open is asked by nobody else: let it end first."""
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("asking "):
            thread.join(10)


@pytest.fixture
def panels_may_ask_the_database(django_db_blocker: Any, django_db_setup: None) -> Iterator[None]:
    """Without the `django_db` mark, whose end needs the server that a test here takes away."""
    with django_db_blocker.unblock():
        yield


def text(client: Client, path: str = "/") -> str:
    response = client.get(path)
    assert response.status_code == 200
    return unescape(response.content.decode())


def states(table: Table) -> dict[str, str]:
    """The word at the end of each row, by the name at its start."""
    return {row[0].text: row[-1].state.word for row in table.rows if row[-1].state}


def summary(page: str) -> str:
    found = re.search(r'<p id="summary".*?>(.*?)</p>', page, re.S)
    assert found
    return found[1].strip()


@pytest.mark.usefixtures("development")
class TestInDevelopment:
    pytestmark = pytest.mark.django_db(transaction=True)

    def test_the_page_says_who_this_is_and_what_runs(self, client: Client) -> None:
        page = text(client)
        assert f"<h1>{django_settings.PROJECT_NAME}</h1>" in page
        assert re.search(r"<small>PostgreSQL \d+\.\d+ through a pooler</small>", page)
        assert len(re.findall(r"<small>Valkey \d+\.\d+\.\d+, [\d.]+\s.?B used</small>", page)) == 2
        assert page.count('<span class="state up">answers</span>') == 3
        assert "all applied" in page

    def test_a_database_without_a_pooler_is_not_given_one(
        self, monkeypatch: pytest.MonkeyPatch, postgres: Postgres
    ) -> None:
        monkeypatch.setitem(django_settings.DATABASES["default"], "PORT", str(postgres.port))
        [database, *_] = dependencies().rows
        assert re.fullmatch(r"PostgreSQL \d+\.\d+", database[0].note)

    def test_what_django_serves_of_the_links_is_there(self, client: Client) -> None:
        page = text(client)
        for path in ("/api/docs/", "/api/schema/", "/admin/"):
            assert f'href="{path}"' in page
            assert resolve(path)

    def test_waiting_tasks_are_counted_and_the_next_one_is_named(self, client: Client) -> None:
        app.conf.task_always_eager = False  # send_task would warn of it
        for name in ("reports.first", "reports.second"):
            app.send_task(name, queue="low")
        app.conf.task_always_eager = True
        page = re.sub(r"\s+", " ", text(client))
        row = r'<th scope="row"> low </th> <td> 2 </td> <td> first </td>'
        assert re.search(row, page)

    def test_an_error_of_a_panel_stands_in_its_place(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken() -> Table:
            raise ValueError("the panel is broken\nand goes on")

        monkeypatch.setattr(panels, "_sources", dict(panels._sources))
        panels.register("Broken", broken)
        page = text(client)
        assert '<p class="state down">the panel is broken</p>' in page
        assert summary(page).endswith("Broken")
        assert page.count('up">answers</span>') == 3

    def test_what_a_panel_says_is_no_markup(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(panels, "_sources", {})
        panels.register("Own", lambda: Table(("A",), [[Cell("<script>", "<b>", url='"><i>')]]))
        page = client.get("/").content.decode()
        assert "&lt;script&gt;" in page
        assert "<b>" not in page
        assert "<i>" not in page

    def test_the_moving_part_holds_every_part_of_the_page_that_moves(self, client: Client) -> None:
        page, part = text(client), text(client, LIVE)
        ids = re.findall(r'<(?:section|p)[^>]* id="([\w-]+)"', part)
        assert {"summary", "servers", "processes", "queues", "this-build"} <= set(ids)
        assert [each for each in ids if page.count(f'id="{each}"') != 1] == []

    def test_without_scripts_the_page_loads_itself_again(self, client: Client) -> None:
        found = re.search(r'<noscript><meta http-equiv="refresh" content="(\d+)">', text(client))
        assert found

    def test_every_script_has_the_nonce_of_the_policy(self, client: Client) -> None:
        response = client.get("/")
        policy = response.headers["Content-Security-Policy"]
        nonce = policy.split("script-src 'self' 'nonce-")[1].split("'")[0]
        page = response.content.decode()
        assert page.count("<script") == page.count(f'<script nonce="{nonce}">') == 1


@pytest.mark.usefixtures("development", "panels_may_ask_the_database")
class TestWhenServersAreAway:
    def test_a_dead_cache_is_named_and_the_others_answer(
        self, client: Client, cache_server: Valkey
    ) -> None:
        cache_server.kill()
        assert summary(text(client)).startswith("Look at: Cache")
        expected = {"Database": "answers", "Cache": "no answer", "Broker": "answers"}
        assert states(dependencies()) == expected
        cache_server.start()
        assert states(dependencies())["Cache"] == "answers"

    @pytest.mark.parametrize("fault", ["kill", "freeze"])
    def test_the_page_opens_in_two_seconds_with_no_server_at_all(
        self,
        fault: str,
        client: Client,
        pgbouncer: PgBouncer,
        cache_server: Valkey,
        broker_server: Valkey,
    ) -> None:
        for server in (pgbouncer, cache_server, broker_server):
            getattr(server, fault)()
        began = time.monotonic()
        page = text(client)
        assert time.monotonic() - began < 2
        assert page.count('<span class="state down">no answer</span>') == 3
        assert summary(page).startswith("Look at: Database, Cache, Broker, ")

    def test_a_frozen_primary_behind_a_living_pooler_is_named(
        self, client: Client, postgres: Postgres
    ) -> None:
        postgres.freeze()
        began = time.monotonic()
        page = text(client)
        assert time.monotonic() - began < 2
        assert "Database" in summary(page)


class TestProcesses:
    @pytest.fixture(autouse=True)
    def _own_heartbeats(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def test_a_worker_that_was_never_there_is_not_started(self) -> None:
        assert states(processes.processes())["Worker"] == "not started"

    def test_a_young_heartbeat_works_and_an_old_one_is_silent(self) -> None:
        for role in processes.MARKED:
            heartbeat.touch(role)
        old = time.time() - processes.MAX_AGE - 5
        os.utime(heartbeat.path("beat"), (old, old))
        found = states(processes.processes())
        assert (found["Worker"], found["Beat"]) == ("works", "silent")

    @pytest.mark.parametrize(("working", "word"), [(2, "works"), (1, "1 of 2 work")])
    def test_the_web_workers_are_those_of_the_management_port(
        self, settings: Any, working: int, word: str
    ) -> None:
        metrics = (
            f"service_workers 2\nservice_workers_working {working}\nservice_requests_running 1\n"
        )
        probes = Probes(version={}, unready=lambda: None, metrics=lambda: metrics)
        server = ManagementServer(listen("127.0.0.1", 0), probes)
        server.start()
        settings.METRICS_PORT = server.listener.getsockname()[1]
        try:
            [web, *_] = processes.processes().rows
        finally:
            server.stop()
        assert web[0].note == "2 workers, 1 request running"
        assert web[-1].state
        assert web[-1].state.word == word

    def test_without_a_management_port_the_page_says_so(self) -> None:
        [web, *_] = processes.processes().rows
        assert web[0].note == "no management port answers"


@pytest.mark.usefixtures("development")
@pytest.mark.django_db(transaction=True)
def test_the_refresh_of_an_open_page_writes_no_line_and_a_request_of_somebody_does(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("request")
    silence = NotTheRefresh()
    logger.addFilter(silence)
    try:
        with caplog.at_level(logging.INFO):
            client.get(LIVE)
            client.get("/")
    finally:
        logger.removeFilter(silence)
    lines = [record.msg for record in caplog.records if record.name == "request"]
    assert [line["path"] for line in lines if isinstance(line, dict)] == ["/"]


def test_elsewhere_the_page_says_the_name_and_no_more(client: Client) -> None:
    page = text(client)
    assert f"<h1>{django_settings.PROJECT_NAME}</h1>" in page
    assert "<table" not in page
    assert "<script" not in page
    assert "demo" not in page
    assert "/admin/" not in page


def test_elsewhere_there_is_no_moving_part(client: Client) -> None:
    assert client.get(LIVE).status_code == 404


def test_the_page_is_read_only(client: Client) -> None:
    assert client.post("/").status_code == 405


def test_every_style_of_the_page_has_the_nonce_of_the_policy(client: Client) -> None:
    response = client.get("/")
    policy = response.headers["Content-Security-Policy"]
    nonce = policy.split("style-src 'self' 'nonce-")[1].split("'")[0]
    page = response.content.decode()
    assert page.count("<style") == page.count(f'<style nonce="{nonce}">') == 1
    assert "style=" not in page
