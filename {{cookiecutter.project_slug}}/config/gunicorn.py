"""gunicorn's configuration; `scripts/start.sh web` reads it, and HUP reads it again.

Decides: how many requests run at a time, how long they may wait, when a worker is replaced. Reads
PORT, METRICS_PORT, WEB_CONCURRENCY, THREADS, FORWARDED_ALLOW_IPS. Without it gunicorn queues a
thousand connections behind one slow request and counts the node's CPUs. To lift it out: take
`core/server/` and `core/health/`.

A HUP recycles the workers and reads this file, but keeps the code that was preloaded; a release on
a machine of its own is a USR2, which executes the new code beside the old.
"""

# isort: off
from config.env import DEPLOYED, env  # first: a bad environment exits 78 before anything starts

# isort: on
import gc
import os
from typing import Any

from config.env import BASE_DIR
from config.settings.components.database import DATABASES
from config.settings.components.identity import VERSION
from config.settings.components.logs import LOGGING
from core.health.database import conninfo
from core.logs.configuration import apply
from core.server import hooks
from core.server.cpu import worker_count
from core.server.hooks import (  # noqa: F401 - gunicorn takes hooks by their names
    on_exit,
    post_fork,
    post_request,
    post_worker_init,
    pre_exec,
    pre_fork,
    pre_request,
)

# Before Django's, so that gunicorn's first lines are lines as well.
apply(LOGGING)

_deployed = env.DJANGO_SETTINGS_MODULE.removeprefix("config.settings.") in DEPLOYED
# A container's own interface is its boundary; a laptop's is not.
_host = "0.0.0.0" if _deployed else "127.0.0.1"  # noqa: S104

wsgi_app = "config.wsgi:application"
bind = f"{_host}:{env.PORT}"
proc_name = env.SERVICE_NAME
logger_class = "core.logs.gunicorn.Logger"

worker_class = "gthread"
# Never the node's CPUs; 2 where no quota is known, so that one may be recycled or stuck. 64 is
# WEB_CONCURRENCY's own bound. In development 1: beside it, another would still answer old code.
workers = env.WEB_CONCURRENCY or (worker_count(otherwise=2, most=64) if _deployed else 1)
threads = env.THREADS
# Connections a worker accepts: as many as it can serve. The default of 1,000 hides a queue inside a
# busy worker: 22 to 31 of 60 fast requests waited over a second behind three slow ones; now none.
worker_connections = threads
# Connections waiting in the kernel for whichever worker is free first, a few seconds of work.
# Beyond them it drops a client's first packet, which comes again after 1 s and after 3, when a
# proxy with a connect timeout of 2 s has given up: with 256, of 500 clients at once 239 lost that
# second. The kernel lowers it to net.core.somaxconn (4,096 since Linux 5.4).
backlog = 512
# Seconds; 0 because the proxy opens a connection per request: a kept one would hold a thread's
# place in `worker_connections`.
keepalive = 0

# Seconds without a sign of life from a worker's main loop until it is killed. Above the 25 s within
# which a request is meant to end, below the proxy's read timeout of 35 s.
timeout = 30
# Seconds that running requests get after SIGTERM: at least those 25; with preStop's 10 s and 5 s of
# slack below the termination grace of 50 s.
graceful_timeout = 30

# Requests until a worker is replaced, against slow leaks; the spread keeps workers from leaving
# together, when the rest would carry all the load.
max_requests = 10_000
max_requests_jitter = 2_000

# Heartbeats of workers are file times: on a disk they wait for it, and the master kills workers.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
# gunicorn 25 and later listen for commands on a socket in the working folder, which is read-only.
control_socket_disable = True

forwarded_allow_ips = ",".join(env.FORWARDED_ALLOW_IPS)
# Bytes of the request line; nginx's large_client_header_buffers are 8k, so that the proxy refuses
# first and with its own page. Fields have gunicorn's default of 8,190.
limit_request_line = 8190

# Load the application once and fork: four workers took 254 MB instead of 376. The reloader of
# development needs each worker to load for itself.
preload_app = _deployed
reload = not _deployed
reload_extra_files = [
    str(template)
    for folder in ("apps", "config", "core")
    for template in (BASE_DIR / folder).rglob("*.html")
    if not _deployed
]


def on_starting(server: Any) -> None:
    hooks.open_management(
        server,
        host=_host,
        port=env.METRICS_PORT,
        version=VERSION,
        conninfo=conninfo(DATABASES["default"]),
    )


def when_ready(server: Any) -> None:
    # Takes what was preloaded out of every later collection: a full one took 36 ms, now 0.
    gc.collect()
    gc.freeze()
    hooks.when_ready(server)
