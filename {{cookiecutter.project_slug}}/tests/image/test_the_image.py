"""One file, so that one process of the test run builds the image: what it holds, how its roles run.

https://github.com/mozilla-services/Dockerflow is the specification of the second part.
"""

from __future__ import annotations

import contextlib
import http
import json
import re
import time
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from scripts.servers import PgBouncer
from tests.broker import Queue, published, queue
from tests.image.compose import Compose
from tests.image.compose import name as compose_name
from tests.image.conftest import BUILD, Image, StartContainer, with_free_ports
from tests.image.engine import Container, EngineError
from tests.server.conftest import READY
from tests.server.test_every_role import ROLES
from tests.server.test_probes import NEEDS_DATABASE, metric
from tests.stack import BASE_DIR
from tests.testapp.tasks import sleep

__all__ = ["published", "queue"]

LARGEST = 250_000_000  # bytes beyond the base; it was 211 MB
LONG_RUNNING = [role for role in ROLES if role in READY]


# What is in it -----------------------------------------------------------------------------------


def test_it_adds_less_than_250_mb_to_its_base(image: Image) -> None:
    sizes = [image.engine.inspect(name)["Size"] for name in (image.name, image.base)]
    assert sizes[0] - sizes[1] < LARGEST


def test_it_holds_no_compiler_no_headers_and_no_cache(facts: dict[str, Any]) -> None:
    assert facts["compilers"] == []
    assert facts["headers"] == []
    assert facts["wheels"] == []
    # Bytes; a base brings some kilobytes of its own.
    assert {top for top, size in facts["caches"].items() if size > 100_000} == set()


def test_no_secret_beside_the_code_is_in_it(image: Image, facts: dict[str, Any]) -> None:
    assert facts["secrets"] == []
    names = {pair.partition("=")[0] for pair in image.config["Env"]}
    assert not [name for name in names if re.search("SECRET|PASSWORD|TOKEN|_URL|_KEY$", name)]


def test_it_holds_what_the_service_runs_and_no_tests(facts: dict[str, Any]) -> None:
    assert set(facts["top"]) - {"__pycache__", "uv.lock"} == {
        *("apps", "config", "core", "deploy", "locale", "scripts", "staticfiles"),
        *("manage.py", "pyproject.toml", ".python-version", "version.json"),
    }


def test_it_holds_the_packages_of_the_service_and_none_of_development(
    facts: dict[str, Any],
) -> None:
    project = tomllib.loads((BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))
    word = re.compile(r"[a-z0-9-]+")
    service, development = (
        {word.match(line)[0] for line in lines}  # type: ignore[index]
        for lines in (project["project"]["dependencies"], project["dependency-groups"]["dev"])
    )
    assert service - {*facts["packages"]} == set()
    assert "psycopg-binary" in facts["packages"]
    assert development & {*facts["packages"]} <= {"pyyaml"}  # drf-spectacular's as well


def test_its_user_can_change_nothing_of_the_service(facts: dict[str, Any]) -> None:
    assert facts["writable"] == []
    assert facts["user"] == [10001, 10001, "/usr/sbin/nologin"]


def test_it_names_its_source(image: Image) -> None:
    labels = image.config["Labels"]
    prefix = "org.opencontainers.image."
    found = {name.removeprefix(prefix): value for name, value in labels.items() if prefix in name}
    assert found == {
        "source": BUILD["SOURCE"],
        "version": BUILD["VERSION"],
        "revision": BUILD["COMMIT"],
    }


# Dockerflow --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running_web(image: Image, image_env: dict[str, str]) -> Iterator[Container]:
    env = with_free_ports(image_env)
    web = Container(image.engine, image.name, "web", [], env)  # no argument: CMD says web
    web.start()
    try:
        web.wait_until(web.answers)
        yield web
    finally:
        web.stop()


def test_its_configuration_comes_from_the_environment(
    running_web: Container, image_env: dict[str, str]
) -> None:
    assert running_web.logs[0]["service"] == image_env["SERVICE_NAME"]


def test_it_listens_on_port(running_web: Container) -> None:
    assert running_web.env["PORT"] != "8000"
    assert running_web.get("/livez", port=int(running_web.env["PORT"]))[0].status == 200


def test_version_json_says_source_version_commit_and_build(facts: dict[str, Any]) -> None:
    assert facts["version"] == {name.lower(): value for name, value in BUILD.items()}


def test_version_answers_what_the_file_holds(running_web: Container, facts: dict[str, Any]) -> None:
    for port in (running_web.port, running_web.metrics_port):
        _, body = running_web.get("/__version__", port=port)
        assert json.loads(body) == facts["version"]


def test_heartbeat_answers_for_the_servers_behind(running_web: Container) -> None:
    response, body = running_web.get("/__heartbeat__")
    assert response.status == 200, body
    assert "database" in json.dumps(json.loads(body))


def test_lbheartbeat_answers_although_the_database_does_not(
    running_web: Container, pgbouncer: PgBouncer
) -> None:
    pgbouncer.freeze()
    assert running_web.get("/__lbheartbeat__", port=running_web.metrics_port)[0].status == 200
    assert running_web.get("/__lbheartbeat__")[0].status == 200


def test_what_it_says_goes_to_stdout_as_lines_of_json(running_web: Container) -> None:
    running_web.get("/", headers={"Host": "service.test"})
    running_web.wait_for_line("request")
    for line in running_web.logs:
        assert {"message", "level", "timestamp"} <= line.keys()


def test_it_serves_its_own_static_files(running_web: Container, facts: dict[str, Any]) -> None:
    name = next(new for old, new in facts["static"].items() if old.endswith("admin/css/base.css"))
    response, body = running_web.get(f"/static/{name}")
    assert response.status == 200
    assert body
    assert "immutable" in str(response.headers["Cache-Control"])


def test_sources_are_in_app(image: Image) -> None:
    assert image.config["WorkingDir"] == "/app"


def test_it_runs_as_app_in_the_group_app(running_web: Container) -> None:
    assert running_web.do("id").strip() == "uid=10001(app) gid=10001(app) groups=10001(app)"


def test_entrypoint_and_command_are_programs_and_not_shell(image: Image) -> None:
    config = image.config
    assert config["Entrypoint"] == ["/usr/local/bin/tini", "--", "/app/scripts/start.sh"]
    assert config["Cmd"] == ["web"]


def test_its_user_is_a_number_that_runasnonroot_can_judge(image: Image) -> None:
    config = image.config
    assert config["User"] == "10001:10001"
    assert set(config["ExposedPorts"]) == {"8000/tcp", "8001/tcp", "9464/tcp"}
    assert config["StopSignal"] in {"SIGTERM", "15"}


# Its roles ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", LONG_RUNNING)
def test_a_role_starts_on_a_read_only_root_is_healthy_and_ends_on_sigterm(
    role: str, start_container: StartContainer
) -> None:
    with start_container(role) as container:
        with pytest.raises(EngineError, match="Read-only file system"):
            container.do("python", "-c", "open('/app/x', 'w')")
        container.wait_until(lambda: container.is_healthy, 15)
        asked = time.monotonic()
        assert container.stop() == 0, container.output
        assert time.monotonic() - asked < 30  # an idle one; its grace is 50 s


def test_every_role_that_stays_was_started() -> None:
    assert LONG_RUNNING == ["web", "asgi", "worker", "beat", "relay"]


def test_a_worker_whose_heartbeat_is_old_is_not_healthy(start_container: StartContainer) -> None:
    # In one breath: the worker marks its file every 5 s.
    age = "import glob, os; [os.utime(name, (0, 0)) for name in glob.glob('/tmp/heartbeat-*')]; "
    check = "os.execv('/app/deploy/docker/healthcheck', ['/app/deploy/docker/healthcheck'])"
    with start_container("worker") as worker:
        worker.wait_until(lambda: worker.is_healthy, 15)
        with pytest.raises(EngineError, match="worker: heartbeat is"):
            worker.do("python", "-c", age + check)


def test_a_container_that_serves_nothing_is_not_healthy(
    image: Image, image_env: dict[str, str]
) -> None:
    options = ["--entrypoint", "sleep"]
    env = with_free_ports(image_env)
    idle = Container(image.engine, image.name, "web", ["60"], env, options)
    idle.start()
    try:
        idle.wait_until(lambda: idle.runs)
        assert not idle.is_healthy
    finally:
        idle.stop(grace=0)


def test_it_says_why_it_is_not_healthy(start_container: StartContainer) -> None:
    with (
        start_container("web") as web,
        pytest.raises(EngineError, match="/nowhere: 404"),
    ):
        web.do("/app/deploy/docker/healthcheck", "/nowhere")


def test_a_bad_environment_is_told_from_a_crash(start_container: StartContainer) -> None:
    with start_container("web", env={"SECRET_KEY": ""}, ready=lambda _: True) as web:
        assert web.wait_for_exit(30) == 78
    assert "SECRET_KEY" in web.output


def test_a_sigterm_that_comes_before_the_service_is_there_ends_it(
    start_container: StartContainer,
) -> None:
    with start_container("web", ready=lambda container: container.runs) as web:
        asked = time.monotonic()
        web.stop(grace=40)
        assert time.monotonic() - asked < 20


@contextmanager
def frozen(server: PgBouncer) -> Iterator[None]:
    server.freeze()
    try:
        yield
    finally:
        server.thaw()


def test_a_request_in_flight_is_answered_after_sigterm(
    start_container: StartContainer, pgbouncer: PgBouncer
) -> None:
    with start_container("web") as web, ThreadPoolExecutor(2) as others:
        web.wait_until(lambda: web.get("/readyz", port=web.metrics_port)[0].status == 200)
        with frozen(pgbouncer):
            asked = others.submit(web.get, "/admin/", headers=NEEDS_DATABASE, timeout=60)
            web.wait_until(lambda: metric(web, "service_requests_running") == 1, 5)
            stop = others.submit(web.stop)
            web.wait_until(lambda: refuses(web), 5)
            assert not asked.done()
        response, _ = asked.result(30)
        assert response.status == http.HTTPStatus.FOUND
        assert stop.result(60) == 0, web.output


def refuses(web: Container) -> bool:
    with contextlib.suppress(OSError):
        return web.get("/readyz", port=web.metrics_port)[0].status == 503
    return True


def test_a_running_task_is_finished_after_sigterm(
    start_container: StartContainer, published: None, queue: Queue, tmp_path_factory: Any
) -> None:
    package = tmp_path_factory.mktemp("code") / "tests"
    (package / "testapp").mkdir(parents=True)
    for name in ("__init__.py", "testapp/__init__.py", "testapp/tasks.py"):
        (package / name).write_text((BASE_DIR / "tests" / name).read_text("utf-8"), "utf-8")
    for path in (package.parent, *package.parent.rglob("*")):
        path.chmod(0o755)
    options = ["--volume", f"{package.parent}:/srv:ro", "--env", "PYTHONPATH=/srv"]
    arguments = ("high,default,low", "--concurrency", "1", "--include", "tests.testapp.tasks")
    with start_container("worker", *arguments, options=options) as worker:
        sleep.delay(4, "first")
        worker.wait_for_line("asleep")
        sleep.delay(1, "not begun")
        assert worker.stop() == 0, worker.output
    assert [line["word"] for line in worker.logs if line["message"] == "awake"] == ["first"]
    assert [message["args"] for message in queue.messages] == [[1, "not begun"]]
    assert queue.in_hand == 0


# Compose -----------------------------------------------------------------------------------------


@pytest.fixture
def compose(image: Image) -> Iterator[Compose]:
    made = Compose(image.engine, image.tree, image.name, image.base)
    try:
        yield made
    finally:
        made.down()


def by_tls(compose: Compose, path: str) -> str:
    """Status, type, and whether the page is a file of the errors, as JSON."""
    ask = (
        "import http.client as h, json, socket, ssl; "
        "tls = ssl._create_unverified_context(); "
        "c = h.HTTPSConnection('composed.example.org', 443); "
        "c.sock = tls.wrap_socket(socket.create_connection(('nginx', 8443), 10), "
        "server_hostname=c.host); "
        f"c.request('GET', '{path}'); r = c.getresponse(); body = r.read(); "
        "print(json.dumps([r.status, r.headers['Content-Type'], b'did not answer' in body]))"
    )
    return compose.do("worker", "python", "-c", ask).strip()


def test_compose_starts_the_service_on_servers_of_its_own(compose: Compose, image: Image) -> None:
    compose.up("postgres", "cache", "broker")
    for server in ("postgres", "cache", "broker"):
        compose.wait_until_healthy(server)
    compose.up("pgbouncer", "migrate")
    assert compose.wait_for_exit("migrate") == 0
    compose.wait_until_healthy("pgbouncer")
    compose.up("web", "asgi", "worker", "pages", "s3")
    for role in ("web", "asgi", "worker"):
        compose.wait_until_healthy(role)
    assert compose.wait_for_exit("pages") == 0
    compose.up("nginx")
    compose.wait_until("nginx", lambda: by_tls(compose, "/"), 20)

    # From the worker's container, by the service's name, as nginx comes.
    headers = {"Host": "composed.example.org", "X-Forwarded-Proto": "https"}
    ask = (
        "import http.client as h; c = h.HTTPConnection('web', 8000, timeout=10); "
        f"c.request('GET', '/api/v1/session/', headers={headers}); print(c.getresponse().status)"
    )
    assert compose.do("worker", "python", "-c", ask).strip() == "200"
    health = "import http.client as h; c = h.HTTPConnection('web', 8000, timeout=10); "
    health += "c.request('GET', '/__heartbeat__'); print(c.getresponse().read().decode())"
    assert json.loads(compose.do("worker", "python", "-c", health))["status"] == "ok"

    # As a browser comes, and once more when what is behind is gone.
    assert json.loads(by_tls(compose, "/api/v1/session/")) == [200, "application/json", False]
    assert json.loads(by_tls(compose, "/")) == [200, "text/html; charset=utf-8", False]
    compose.podman("stop", "--time", "50", compose_name("web"))
    status, *page = json.loads(by_tls(compose, "/"))
    assert status in (502, 504)  # refused, or nobody there to refuse it
    assert page == ["text/html; charset=utf-8", True]

    folder = image.tree / ".compose/secrets"
    assert folder.stat().st_mode & 0o077 == 0
    psql = ("psql", "--host=/run/postgresql", "--username=postgres", "service", "-Atc")
    assert compose.do("postgres", *psql, "SHOW max_connections").strip() == "100"
    roles = "SELECT rolconfig::text LIKE '%statement_timeout=5s%' FROM pg_roles WHERE rolname='app'"
    assert compose.do("postgres", *psql, roles).strip() == "t"
