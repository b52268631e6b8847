"""Django's DATABASES entry for PostgreSQL behind PgBouncer in transaction mode."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.db import close_old_connections

from core.db.base import BoundedConnection
from core.environment.databases import DatabaseUrl

# Seconds to reach the pooler; far below the 25 s within which a request is meant to end.
CONNECT_TIMEOUT = 3
# Seconds a thread keeps its connection to the pooler. Measured for a request with one query
# through PgBouncer 1.18: 0.68 ms kept, 1.85 ms opened each time.
PERSISTENT = 60


def django_database(url: DatabaseUrl, *, application_name: str) -> dict[str, Any]:
    """The settings of one database alias, for processes whose threads live on (WSGI, Celery).

    Under ASGI use `pooled()` on the result: there a persistent connection is never closed.
    No key named `options` (PgBouncer refuses it) and no statement that sets the session: what one
    client sets in transaction mode, the next one finds.
    """
    return {
        "ENGINE": "core.db",  # Django's, with the deadline of requests (core/db/base.py)
        "HOST": url.host,
        "PORT": url.port,
        "NAME": url.name,
        "USER": url.user,
        "PASSWORD": url.password,
        "CONN_MAX_AGE": PERSISTENT,
        # Without it the first query after a restart of the server fails in every thread.
        "CONN_HEALTH_CHECKS": True,
        # A server-side cursor lives in the backend, and the next FETCH may reach another one:
        # with cursors on, 391 of 400 concurrent `.iterator()` calls failed.
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {
            **url.options,
            "connect_timeout": CONNECT_TIMEOUT,
            "application_name": application_name[:63],
            # A frozen host is noticed in 30 s instead of the kernel's 2 hours.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 4,
        },
    }


def pooled(database: dict[str, Any], *, max_size: int) -> dict[str, Any]:
    """The same alias for an ASGI process, bounded by psycopg's pool.

    Under ASGI each request may run in another thread, so persistent connections are left behind:
    110 requests left 20 open. `max_size` is the most connections of the process.
    """
    options = {
        **database["OPTIONS"],
        # Seconds a request waits for a free connection, below the pooler's own 3 s queue.
        "pool": {
            "min_size": 1,
            "max_size": max_size,
            "timeout": 3,
            "connection_class": BoundedConnection,
        },
    }
    return {**database, "CONN_MAX_AGE": 0, "OPTIONS": options}


async def give_back() -> None:
    """Return this request's connections to the pool.

    In a stream, after each query: a connection that waits with it for the next event is one of the
    few of the process. Before the first part the middleware of the deadline does it.
    """
    await sync_to_async(close_old_connections)()
