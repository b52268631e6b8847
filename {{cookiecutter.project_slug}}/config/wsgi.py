"""The WSGI application, warmed before gunicorn forks: no worker's first request pays for imports.

There is no default for DJANGO_SETTINGS_MODULE: a server that does not know where it is must not
start as if it were on a laptop.
"""

# isort: off
from config.env import BASE_DIR, DEPLOYED, env  # first: a bad environment exits 78 before Django

# isort: on
from django.core.wsgi import get_wsgi_application

from config.probes import worker_probes
from core.logs.hooks import start_logged
from core.probes.wsgi import ProbesMiddleware
from core.server.reload import unfinished_code_waits
from core.server.warm import warm

_reloading = env.DJANGO_SETTINGS_MODULE.removeprefix("config.settings.") not in DEPLOYED

with start_logged(), unfinished_code_waits(BASE_DIR, is_reloading=_reloading):
    _django = get_wsgi_application()
    warm()

application = ProbesMiddleware(_django, worker_probes())
