"""What waits inside something else gives up before it, so that the inner error is the one seen.

Numbers are read from the files that servers are started with. nginx's are read from deploy/nginx/
as soon as that folder exists; gunicorn's is the outermost until then.
"""

from __future__ import annotations

import ast
import re
from configparser import ConfigParser
from pathlib import Path

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


def nginx(folder: Path) -> list[float]:
    """Every `proxy_read_timeout` of the folder, in seconds, for requests or streams."""
    text = "\n".join(path.read_text() for path in sorted(folder.rglob("*.conf*")))
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


def test_the_proxy_waits_longer_than_gunicorn_once_it_is_deployed() -> None:
    folder = SERVICE / "deploy/nginx"
    if folder.exists():
        assert nginx(folder), "deploy/nginx sets no proxy_read_timeout in seconds"
        assert min(nginx(folder)) > gunicorn("timeout")
