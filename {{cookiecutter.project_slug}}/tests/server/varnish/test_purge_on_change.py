"""A row changes, and the edge forgets its page: by the outbox, relay, worker and Varnish."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import psycopg
import pytest

from scripts.servers import Stack, free_port
from scripts.servers.varnish import CONFIGURATION, Varnish, find_varnish
from tests.server.conftest import READY, production_environment
from tests.server.roles import START_TIMEOUT, Role
from tests.stack import IN_CI

TOKEN = "the-token-of-the-edge"
# Seconds. The relay looks every moment and the worker takes it at once: 0.2 on an idle machine.
SEEN = 20.0
# With the pauses of a task that failed twice or thrice.
TRIED_AGAIN = 60.0

if not IN_CI and find_varnish() is None:
    pytest.skip("Varnish is not installed", allow_module_level=True)


class Page(NamedTuple):
    name: str
    came_by: str


class Stage:
    """A web process behind an edge, a relay and a worker; `pk` is a group called "before".

    Purges pass a gate, which notes the status of each and refuses as many as `refusals`.
    """

    def __init__(self, web: Role, worker: Role, edge: Varnish, database: str) -> None:
        self.web, self.worker, self.edge = web, worker, edge
        self._database = database
        self.purges: list[int] = []
        self.refusals = 0
        self.pk = 0

    def ask(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._database, prepare_threshold=None, autocommit=True) as new:
            cursor = new.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def group(self, name: str) -> int:
        [(pk,)] = self.ask("INSERT INTO auth_group (name) VALUES (%s) RETURNING id", name)
        return int(pk)

    def see(self, kind: str = "group", pk: int | None = None) -> Page:
        path = f"/api/test/{kind}/{pk or self.pk}/"
        answer, body = self.web.get(path, port=self.edge.port)
        assert answer.status == 200, body + self.web.output.encode()
        return Page(json.loads(body)["name"], answer.headers["X-Cache"])

    def rename(self, name: str, *, take_back: bool = False) -> None:
        body = json.dumps({"name": name, "take_back": take_back})
        kind = {"Content-Type": "application/json"}
        path = f"/api/test/group/{self.pk}/"
        answer, told = self.web.request("PUT", path, body=body, headers=kind)
        assert answer.status == 200, told


@contextmanager
def gate(port: int, stage: Stage) -> Iterator[None]:
    class Gate(BaseHTTPRequestHandler):
        def do_PURGE(self) -> None:
            status = 503 if len(stage.purges) < stage.refusals else self._forward()
            stage.purges.append(status)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _forward(self) -> int:
            connection = HTTPConnection("127.0.0.1", stage.edge.port, timeout=10)
            connection.request("PURGE", self.path, headers=dict(self.headers))
            response = connection.getresponse()
            response.read()
            connection.close()
            return response.status

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Gate) as server:
        threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
        yield
        server.shutdown()


@pytest.fixture(scope="module")
def stage_of_module(
    servers: Stack,
    server_database: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    port = free_port()
    env = production_environment(servers, server_database)
    env |= {"EDGE_PURGE_URL": f"http://127.0.0.1:{port}", "EDGE_PURGE_TOKEN": TOKEN}
    elsewhere = {"METRICS_PORT": str(free_port())}
    web = Role("web", ("tests.testapp.edge_web:application",), env)
    roles = [web, Role("relay", (), env | elsewhere)]
    roles.append(worker := Role("worker", ("default", "--concurrency", "1"), env | elsewhere))
    edge = Varnish(tmp_path_factory.mktemp("edge"), web.port, token=TOKEN)
    stage = Stage(web, worker, edge, server_database["DATABASE_URL"])
    with ExitStack() as undo:
        for role in roles:
            undo.callback(role.stop)
            role.start()
        undo.enter_context(gate(port, stage))
        for role in roles:
            role.wait_until(lambda role=role: READY[role.name](role), 2 * START_TIMEOUT)  # type: ignore[misc]
        undo.enter_context(edge)  # last: one that was refused three times asks nobody for a while
        yield stage


@pytest.fixture
def stage(stage_of_module: Stage) -> Stage:
    stage = stage_of_module
    stage.ask("DELETE FROM core_outbox_message")
    stage.ask("DELETE FROM auth_group")
    stage.purges.clear()
    stage.refusals = 0
    stage.pk = stage.group("before")
    return stage


def test_the_edge_sees_that_the_service_lives(stage: Stage) -> None:
    [path] = re.findall(r'\.url = "(.+)";', CONFIGURATION.read_text())
    # As a probe asks: by address, and not as a proxy of a client.
    headers = {"Host": "127.0.0.1", "X-Forwarded-Proto": "http"}
    assert stage.web.get(path, headers=headers)[0].status == 200


def test_a_change_is_seen_at_once_and_other_pages_stay(stage: Stage) -> None:
    other = stage.group("other")
    for kind in ("group", "tagged"):
        assert [stage.see(kind) for _ in range(2)] == [
            Page("before", "miss"),
            Page("before", "hit"),
        ]
        stage.see(kind, other)
    stage.rename("after")
    # The page by its address, the other one by its tag.
    stage.worker.wait_until(lambda: stage.see().name == "after", SEEN)
    stage.worker.wait_until(lambda: stage.see("tagged").name == "after", SEEN)
    assert stage.see("group", other) == stage.see("tagged", other) == Page("other", "hit")


def test_what_is_rolled_back_purges_nothing(stage: Stage) -> None:
    stage.see()
    stage.rename("never", take_back=True)
    assert stage.ask("SELECT count(*) FROM core_outbox_message") == [(0,)]
    assert stage.see() == Page("before", "hit")
    # Nor later: what follows it in the queue has been worked on.
    stage.rename("after")
    stage.worker.wait_until(lambda: len(stage.purges) >= 2, SEEN)
    assert stage.purges == [200, 200]  # the address and the tag of the second change


def test_a_purge_that_fails_is_tried_again(stage: Stage) -> None:
    stage.refusals = 2
    stage.see()
    stage.rename("after")
    stage.worker.wait_until(lambda: stage.purges == [503, 503], TRIED_AGAIN)
    assert stage.see() == Page("before", "hit")
    stage.worker.wait_until(lambda: stage.see().name == "after", TRIED_AGAIN)
    assert stage.purges[:3] == [503, 503, 200]
