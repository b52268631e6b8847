"""PostgreSQL, PgBouncer, Valkey and more on 127.0.0.1, for `make run`, tests and drills."""

from scripts.servers.nginx import Nginx, find_nginx
from scripts.servers.pgbackrest import PgBackRest
from scripts.servers.pgbouncer import PgBouncer, find_pgbouncer
from scripts.servers.postgres import DEBIAN, THROW_AWAY, Postgres, wheel
from scripts.servers.process import Process, ServerError
from scripts.servers.rabbitmq import RabbitMQ, find_rabbitmq
from scripts.servers.radosgw import RadosGateway
from scripts.servers.server import HOST, Server, free_port
from scripts.servers.stack import VARIABLES, Stack
from scripts.servers.standby import Standby
from scripts.servers.valkey import Valkey

__all__ = [
    "DEBIAN",
    "HOST",
    "THROW_AWAY",
    "VARIABLES",
    "Nginx",
    "PgBackRest",
    "PgBouncer",
    "Postgres",
    "Process",
    "RabbitMQ",
    "RadosGateway",
    "Server",
    "ServerError",
    "Stack",
    "Standby",
    "Valkey",
    "find_nginx",
    "find_pgbouncer",
    "find_rabbitmq",
    "free_port",
    "wheel",
]
