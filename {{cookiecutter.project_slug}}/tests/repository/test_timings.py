"""What waits inside something else gives up before it, so that the inner error is the one seen.

Numbers are read from the files that servers are started with. The waits of the manifests are in
kubernetes/test_timings.py, other numbers of the proxy in test_proxy_numbers.py, the sum of all
connections in test_database_numbers.py.
"""

from __future__ import annotations

import ast
import re
from configparser import ConfigParser
from pathlib import Path

import yaml

from config.settings.components.cache import CACHES
from config.settings.components.deadline import DEADLINE_SECONDS, STREAM_IDLE_SECONDS
from config.settings.components.sessions import SESSION_COOKIE_AGE
from config.settings.components.tasks import (
    CELERY_TASK_SOFT_TIME_LIMIT,
    CELERY_TASK_TIME_LIMIT,
    TASKS_SHUTDOWN_SECONDS,
)
from core.beat.scheduler import LeaseScheduler
from core.db.connection import CONNECT_TIMEOUT, PERSISTENT
from core.executions.leases import LEASE, RENEW
from core.outbound.clients import CONNECT, TOTAL
from core.outbox.relay import BROKER
from core.sessions.cached_db import COPY_SECONDS
from core.tasks.publishing import ACQUIRE_TIMEOUT, ANSWER_TIMEOUT
from core.tasks.publishing import CONNECT_TIMEOUT as BROKER_CONNECT

SERVICE = Path(__file__).resolve().parents[2]
# Seconds within which a request is meant to end, as config/gunicorn.py says.
REQUEST = 25


def pgbouncer(name: str) -> float:
    parser = ConfigParser(interpolation=None)
    parser.read(SERVICE / "deploy/pgbouncer/pgbouncer.ini")
    return parser.getfloat("pgbouncer", name)


def role(name: str) -> float:
    text = (SERVICE / "deploy/postgres/roles.sql").read_text()
    (value,) = re.findall(rf"^ALTER ROLE app SET {name} = '(\d+)s';$", text, re.MULTILINE)
    return float(value)


def gunicorn(name: str) -> float:
    for node in ast.parse((SERVICE / "config/gunicorn.py").read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return float(ast.literal_eval(node.value))
    raise LookupError(name)


def uvicorn(name: str) -> float:
    """A keyword of config/asgi.py, wherever it stands there."""
    for node in ast.walk(ast.parse((SERVICE / "config/asgi.py").read_text())):
        if isinstance(node, ast.keyword) and node.arg == name:
            return float(ast.literal_eval(node.value))
    raise LookupError(name)


def nginx() -> list[float]:
    """Every `proxy_read_timeout` of deploy/nginx, in seconds."""
    files = sorted((SERVICE / "deploy/nginx").glob("*.conf"))
    text = "\n".join(path.read_text() for path in files)
    return [float(value) for value in re.findall(r"^\s*proxy_read_timeout\s+(\d+)s;", text, re.M)]


def test_a_restart_gives_running_requests_the_time_they_may_take() -> None:
    assert gunicorn("graceful_timeout") >= REQUEST


def test_each_wait_of_a_request_ends_before_the_one_around_it() -> None:
    assert role("lock_timeout") <= role("statement_timeout") < pgbouncer("query_timeout")
    assert pgbouncer("query_wait_timeout") + pgbouncer("query_timeout") < REQUEST
    assert gunicorn("timeout") > REQUEST


def test_the_pooler_finds_a_new_primary_before_its_clients_give_up() -> None:
    assert pgbouncer("server_login_retry") <= 2
    assert pgbouncer("query_wait_timeout") <= REQUEST / 4


def test_the_proxy_waits_longer_than_gunicorn() -> None:
    assert min(nginx()) > gunicorn("timeout")


def test_a_stream_is_not_kept_in_the_proxy_and_its_comments_come_before_anybody_gives_up() -> None:
    service = (SERVICE / "deploy/nginx/service.conf").read_text()
    [block] = re.findall(r"location [^{]*/stream[^{]*\{([^}]*)\}", service)
    assert "proxy_pass http://asgi;" in block
    assert "proxy_buffering off;" in block
    assert min(nginx()) > STREAM_IDLE_SECONDS


def test_the_request_that_files_speak_of_is_the_one_that_the_service_ends() -> None:
    assert DEADLINE_SECONDS == REQUEST


def test_a_connection_is_given_up_long_before_the_request() -> None:
    redis = CACHES["default"]["OPTIONS"]
    waits = [CONNECT_TIMEOUT, CONNECT, BROKER_CONNECT, redis["SOCKET_CONNECT_TIMEOUT"]]
    assert max(waits) <= REQUEST / 5


def test_the_calls_of_a_request_to_others_leave_time_to_answer() -> None:
    calls = 2  # to partners, one after the other, with all their retries
    publish = ACQUIRE_TIMEOUT + BROKER_CONNECT + ANSWER_TIMEOUT
    assert calls * TOTAL <= 10
    assert calls * TOTAL + publish < REQUEST / 2


def test_a_kept_connection_outlives_the_one_who_may_send_into_it() -> None:
    # The proxy opens a connection for each request to gunicorn, and keeps those to uvicorn 60 s.
    assert gunicorn("keepalive") == 0
    assert uvicorn("timeout_keep_alive") > 60


def test_the_pooler_keeps_a_client_longer_than_the_client_keeps_the_connection() -> None:
    parser = ConfigParser(interpolation=None)
    parser.read(SERVICE / "deploy/pgbouncer/pgbouncer.ini")
    idle = parser.getfloat("pgbouncer", "client_idle_timeout", fallback=0)
    assert idle == 0 or idle > PERSISTENT
    # A firewall forgets a silent connection after 350 s (AWS), before server_idle_timeout ends it.
    assert pgbouncer("server_idle_timeout") < pgbouncer("server_lifetime")
    assert pgbouncer("tcp_keepidle") <= 120


def test_a_task_ends_before_another_worker_is_given_it() -> None:
    text = (SERVICE / "config/settings/components/tasks.py").read_text()
    (visibility,) = re.findall(r'"visibility_timeout": (\d+),', text)
    base = (SERVICE / "core/tasks/base.py").read_text()
    (longest_wait,) = re.findall(r"retry_backoff_max = (\d+)", base)
    assert CELERY_TASK_SOFT_TIME_LIMIT < CELERY_TASK_TIME_LIMIT < int(visibility)
    assert int(visibility) > int(longest_wait) + CELERY_TASK_TIME_LIMIT


def test_a_lease_outlives_three_signs_of_life_and_what_is_done_under_it() -> None:
    assert LEASE >= 3 * RENEW
    assert BROKER["socket_connect_timeout"] + BROKER["socket_timeout"] < LEASE
    assert LeaseScheduler.lease_seconds > 2 * LeaseScheduler.retry_seconds


def test_compose_waits_for_what_a_stopping_role_still_does() -> None:
    compose = yaml.safe_load((SERVICE / "compose.yaml").read_text())
    grace = float(compose["x-service"]["stop_grace_period"].removesuffix("s"))
    assert grace >= max(gunicorn("graceful_timeout"), TASKS_SHUTDOWN_SECONDS) + 5
    assert grace >= uvicorn("timeout_graceful_shutdown") + 5


def test_a_session_outlives_its_copy_in_the_cache() -> None:
    assert SESSION_COOKIE_AGE >= COPY_SECONDS
