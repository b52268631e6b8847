"""PostgreSQL, reached through PgBouncer in transaction mode.

Decides: how a process opens, keeps and bounds its connections. Reads DATABASE_URL. Without it a
pooled server hands one client's cursor to another, and a dead one holds a thread for minutes.
To lift it out: take `core/db/connection.py` and `deploy/postgres/`, `deploy/pgbouncer/`.
"""

from config.env import env
from core.db.connection import django_database

DATABASES = {
    "default": django_database(env.DATABASE_URL, application_name=env.SERVICE_NAME),
}

# A transaction around every request would hold a pooled connection while the view talks to other
# systems; views say `atomic` where they need it.
DATABASES["default"]["ATOMIC_REQUESTS"] = False
