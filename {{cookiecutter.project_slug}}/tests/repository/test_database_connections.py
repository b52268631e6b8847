"""One way to keep connections for each kind of process, and each is the right one."""

from __future__ import annotations

import ast
from pathlib import Path

from config.env import env
from core.db.connection import django_database, pooled
from tests.stack import BASE_DIR


def mentions_a_pool(path: Path) -> bool:
    """Whether it asks psycopg for a pool: by `pooled`, or by the key of OPTIONS."""
    tree = ast.parse(path.read_text())
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    return "pooled" in names or "pool" in words


def test_psycopg_pools_in_the_asgi_process_alone() -> None:
    sources = [
        path for name in ("config", "core", "apps") for path in (BASE_DIR / name).rglob("*.py")
    ]
    found = {str(path.relative_to(BASE_DIR)) for path in sources if mentions_a_pool(path)}
    assert found == {"config/asgi.py", "core/db/connection.py"}


def test_threads_that_live_on_keep_a_connection_and_look_at_it_before_its_use() -> None:
    database = django_database(env.DATABASE_URL, application_name="service")
    assert database["CONN_MAX_AGE"] > 0
    assert database["CONN_HEALTH_CHECKS"] is True
    assert "pool" not in database["OPTIONS"]


def test_behind_a_pooler_a_connection_asks_for_nothing_that_belongs_to_a_session() -> None:
    database = django_database(env.DATABASE_URL, application_name="service")
    for settings in (database, pooled(database, max_size=4)):
        assert settings["DISABLE_SERVER_SIDE_CURSORS"] is True
        assert settings["OPTIONS"].keys().isdisjoint({"options", "server_side_binding"})
