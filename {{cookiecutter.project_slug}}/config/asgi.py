"""The ASGI application, and its server: `python -m config.asgi`.

A second, small deployment for streaming paths alone (`config/streams.py`; the rest is 404): Django
costs about 2 ms of CPU per request more under ASGI, on every server. There is no default for
DJANGO_SETTINGS_MODULE, as in `config/wsgi.py`.
"""

# isort: off
from config.env import DEPLOYED, env  # first: a bad environment exits 78 before Django is read

# isort: on
import signal
import sys

import uvicorn
from django.conf import settings
from django.core.asgi import get_asgi_application

from config.probes import worker_probes
from core.db.connection import pooled
from core.deadline.streams import Streams
from core.health.database import conninfo
from core.probes.asgi import ProbesMiddleware
from core.server.streaming import Streaming

_host = (
    "0.0.0.0"  # noqa: S104 - a container's own interface is its boundary
    if env.DJANGO_SETTINGS_MODULE.removeprefix("config.settings.") in DEPLOYED
    else "127.0.0.1"
)

# What differs from the other processes is said here, before Django reads it, so that no settings
# module has to guess in which kind of process it is.
#
# Under ASGI persistent connections are never closed: a pool, as large as a web worker's share.
settings.DATABASES = {
    **settings.DATABASES,
    "default": pooled(settings.DATABASES["default"], max_size=env.THREADS),
}
settings.ROOT_URLCONF = "config.streams"
# Synchronous, it would move each request to a thread and back; static files are the web's.
settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if not name.startswith("core.static.")]

application = ProbesMiddleware(
    Streams(
        get_asgi_application(),
        most=env.MAX_STREAMS,
        # A body may take as long to arrive as the proxy, which buffers it, would take to give up.
        start=settings.DEADLINE_SECONDS + 5,
        idle=settings.STREAM_IDLE_SECONDS,
        total=settings.STREAM_SECONDS,
    ),
    worker_probes(),
    Streaming(
        host=_host,
        port=env.METRICS_PORT,
        version=settings.VERSION,
        conninfo=conninfo(settings.DATABASES["default"]),
    ),
)


def serve() -> None:
    """Run uvicorn until SIGTERM. Exits with 0 then, with 3 when it cannot start."""
    # uvicorn raises the signal again when it is done: an orderly end is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.run(
        application,
        host=_host,
        port=env.ASGI_PORT,
        lifespan="on",
        workers=1,  # not WEB_CONCURRENCY, which uvicorn would read and then refuse to start
        log_config=None,  # core.logs has configured it, through Django's LOGGING
        access_log=False,  # core.requests writes the access line
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=env.FORWARDED_ALLOW_IPS,
        backlog=256,
        # Seconds; above nginx's upstream keepalive_timeout of 60, so that the proxy closes first
        # and never sends a request into a closing connection.
        timeout_keep_alive=75,
        # Seconds that running requests and streams get after SIGTERM; as gunicorn's.
        timeout_graceful_shutdown=30,
    )


if __name__ == "__main__":
    serve()
