"""Every environment variable of the service; the only place that reads the environment.

Decides: what a process needs to start. Read by the settings, `config/gunicorn.py` and
`config/asgi.py` as `from config.env import env`. A start with a missing or bad value prints one
message that names all of them and exits with 78 (EX_CONFIG of sysexits.h), so that a supervisor
can tell a wrong configuration from a crash. To lift it out: take `core/environment/` too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from core.environment import InvalidEnvironmentError, read, variable
from core.environment.databases import DatabaseUrl, database_url
from core.environment.mailers import mailer_url
from core.environment.parsers import (
    boolean,
    bucket,
    choice,
    comma_list,
    contact,
    host,
    host_name,
    integer,
    origin,
    peer,
    text,
    url,
    webhook_secret,
)

BASE_DIR = Path(__file__).resolve().parent.parent
EX_CONFIG = 78

DEPLOYED = ("staging", "production")
ALL = ("development", "test", *DEPLOYED)
_SETTINGS = {f"config.settings.{name}": name for name in ALL}

redis_url = url("redis", "rediss", path=r"/[0-9]+")
broker_url = url("redis", "rediss", "amqp", "amqps")


def _weak_key(key: str) -> str | None:
    """Django's own bar (security.W009): 50 characters, 5 different ones, not its placeholder."""
    if key.startswith("django-insecure-"):
        return "is Django's placeholder key; make one with `openssl rand -base64 48`"
    if len(key) < 50 or len(set(key)) < 5:
        return "is too short or repeats itself; make one with `openssl rand -base64 48`"
    return None


def _any_host(hosts: list[str]) -> str | None:
    if not hosts:
        return "is empty; list the host names that the service answers to"
    return "holds `*`, which lets anyone choose the host of our links" if "*" in hosts else None


def _mail_stays(mailer: dict[str, Any]) -> str | None:
    """Printed mail is neither sent nor one line of JSON; kept mail fills the memory."""
    return None if "OPTIONS" in mailer else "sends no mail; use smtp://, smtp+tls:// or smtps://"


def _debugging(debug: bool) -> str | None:
    return "is true; error pages would show settings and source to everyone" if debug else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The service's variables, parsed. Field, variable and document carry one name."""

    DJANGO_SETTINGS_MODULE: str = variable(
        "The settings of this environment.",
        choice(*_SETTINGS),
        required=ALL,
        example="config.settings.production",
    )
    SERVICE_NAME: str = variable(
        "The service's identity in logs, cache keys and process names; the project's slug.",
        text,
        required=DEPLOYED,
        default="service",
    )
    RELEASE: str = variable(
        "The version that is running, such as a git commit; answered by /__version__.",
        text,
        default="unknown",
    )
    DEBUG: bool = variable(
        "Show tracebacks in the browser.",
        boolean,
        defaults={"development": True, "*": False},
        refuse=_debugging,
    )
    SECRET_KEY: str = variable(
        "Signs sessions, password reset links and messages.",
        text,
        required=ALL,
        refuse=_weak_key,
        secret=True,
    )
    SECRET_KEY_FALLBACKS: list[str] = variable(
        "Former keys that are still accepted, so that a rotation logs nobody out.",
        comma_list(text),
        default=[],
        refuse=lambda keys: next((bad for key in keys if (bad := _weak_key(key))), None),
        secret=True,
    )
    ALLOWED_HOSTS: list[str] = variable(
        "Host names that the service answers to.",
        comma_list(host),
        required=DEPLOYED,
        default=["localhost", "127.0.0.1", "[::1]"],
        refuse=_any_host,
        example="shop.example.org",
    )
    ADMIN_HOST: str | None = variable(
        "The only host name that serves the admin; unset in development, it is on every host.",
        host_name,
        required=DEPLOYED,
        default=None,
        example="admin.shop.example.org",
    )
    CSRF_TRUSTED_ORIGINS: list[str] = variable(
        "Other origins whose forms may post here.",
        comma_list(origin),
        default=[],
        example="https://www.example.org",
    )
    FORWARDED_ALLOW_IPS: list[str] = variable(
        "Proxies whose X-Forwarded-* headers are believed.",
        comma_list(peer),
        required=DEPLOYED,
        default=["127.0.0.1"],
        example="10.0.0.0/8",
    )
    DATABASE_URL: DatabaseUrl = variable(
        "The database as the role `app`, through PgBouncer in transaction mode; "
        "worker, beat and relay have a pool of their own there.",
        database_url,
        required=ALL,
        secret=True,
        example="postgresql://app:password@pgbouncer:6432/service",
    )
    DATABASE_DIRECT_URL: DatabaseUrl | None = variable(
        "The same database as the role `migrator`, past the pooler; read by migrations alone.",
        database_url,
        default=None,
        secret=True,
        example="postgresql://migrator:password@postgres:5432/service",
    )
    PRODUCTION_DATABASE_URL: DatabaseUrl | None = variable(
        "Outside production, the database that `manage.py anonymise` must never touch; it needs "
        "no password.",
        database_url,
        default=None,
        example="postgresql://app@postgres.production.internal:5432/service",
    )
    CACHE_URL: str = variable(
        "Redis or Valkey for cache and sessions; it may evict (maxmemory-policy allkeys-lru).",
        redis_url,
        required=ALL,
        secret=True,
        example="redis://cache:6379/0",
    )
    BROKER_URL: str = variable(
        "Redis or Valkey for tasks, of its own (appendonly, noeviction), or RabbitMQ.",
        broker_url,
        required=ALL,
        secret=True,
        example="redis://broker:6379/0",
    )
    S3_BUCKET: str | None = variable(
        "The private bucket of uploaded files; unset in development, they stay in .data/media.",
        bucket,
        required=DEPLOYED,
        default=None,
        example="service-media",
    )
    S3_ENDPOINT_URL: str | None = variable(
        "The server that holds the bucket, of AWS or any other that speaks S3.",
        origin,
        required=DEPLOYED,
        default=None,
        example="https://s3.eu-central-1.amazonaws.com",
    )
    S3_MEDIA_DOMAIN: str | None = variable(
        "Where browsers reach that server by HTTPS, when not by S3_ENDPOINT_URL. Links are signed "
        "for this host, so a proxy on the way keeps the Host header.",
        host_name,
        default=None,
        example="media.example.org",
    )
    S3_ACCESS_KEY_ID: str | None = variable(
        "The key that may read, write and delete in the bucket; unset, the role of the machine.",
        text,
        default=None,
        secret=True,
    )
    S3_SECRET_ACCESS_KEY: str | None = variable(
        "The other half of S3_ACCESS_KEY_ID; both are set, or none.",
        text,
        default=None,
        secret=True,
    )
    EMAIL_URL: dict[str, Any] = variable(
        "How mail leaves.",
        mailer_url,
        required=DEPLOYED,
        defaults={"development": "console://", "test": "memory://"},
        refuse=_mail_stays,
        secret=True,
        example="smtp+tls://user:password@mail.example.org",
    )
    EMAIL_ALLOWED_DOMAINS: list[str] = variable(
        "Outside production mail leaves to these domains alone; production sends to everybody.",
        comma_list(host_name),
        default=[],
        example="example.org",
    )
    DEFAULT_FROM_EMAIL: str = variable(
        "The sender of the service's mail.",
        text,
        required=DEPLOYED,
        default="service@localhost",
        example="shop@example.org",
    )
    SECURITY_CONTACT: str | None = variable(
        "Whom to tell about a security hole, in /.well-known/security.txt; unset, it names "
        "DEFAULT_FROM_EMAIL, whose answers somebody must read then.",
        contact,
        default=None,
        example="mailto:security@example.org",
    )
    WEBHOOK_SECRETS: list[str] = variable(
        "What signs the webhooks that are sent: the new secret and, while receivers change, the "
        "old one.",
        comma_list(webhook_secret),
        default=[],
        secret=True,
        example="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    )
    EDGE_PURGE_URL: list[str] = variable(
        "The caches in front (deploy/varnish) that forget what has changed, each by itself; unset, "
        "copies are kept until they are too old.",
        comma_list(origin),
        default=[],
        example="http://edge-1:6081",
    )
    EDGE_PURGE_TOKEN: str | None = variable(
        "What a purge shows them: the content of their /etc/varnish/purge-token.",
        text,
        default=None,
        secret=True,
    )
    LOG_LEVEL: str = variable(
        "The least severe log line that is written.",
        choice("DEBUG", "INFO", "WARNING", "ERROR"),
        default="INFO",
    )
    PORT: int = variable(
        "Port of the web process.", integer(1, 65535), default=8000, unit="TCP port"
    )
    ASGI_PORT: int = variable(
        "Port of the streaming process.", integer(1, 65535), default=8001, unit="TCP port"
    )
    METRICS_PORT: int = variable(
        "Port that answers probes and metrics, whatever the request threads do.",
        integer(1, 65535),
        default=9464,
        unit="TCP port",
    )
    WEB_CONCURRENCY: int | None = variable(
        "Web worker processes; unset, the container's CPU quota rounded up plus one, else 2.",
        integer(1, 64),
        default=None,
        unit="processes",
    )
    THREADS: int = variable(
        "Request threads of each web worker; each may hold one database connection.",
        integer(1, 64),
        default=4,
        unit="threads",
    )
    MAX_STREAMS: int = variable(
        "Requests that the streaming process serves at a time; the next one is answered 503.",
        integer(1, 10_000),
        default=200,
        unit="requests",
    )


def _one_redis(values: Mapping[str, Any]) -> str | None:
    """The cache evicts under memory pressure; on one instance it would evict queued tasks."""
    urls = [urlsplit(values.get(name, "")) for name in ("CACHE_URL", "BROKER_URL")]
    instances = {
        ("localhost" if url.hostname == "127.0.0.1" else url.hostname, url.port or 6379)
        for url in urls
        if url.scheme in ("redis", "rediss")
    }
    if len(instances) == 2 or not all(url.scheme.startswith("redis") for url in urls):
        return None
    return (
        "CACHE_URL and BROKER_URL name the same instance: a full cache would delete queued tasks. "
        "Give the broker an instance of its own, with maxmemory-policy noeviction."
    )


def _own_ports(values: Mapping[str, Any]) -> str | None:
    """Probes and requests on one port would be a start that fails half-way."""
    ports = [values[name] for name in ("PORT", "ASGI_PORT", "METRICS_PORT") if name in values]
    if len(set(ports)) == len(ports):
        return None
    return "PORT, ASGI_PORT and METRICS_PORT must differ: each is a port of its own."


def _whole_key(values: Mapping[str, Any]) -> str | None:
    """With half of a key the other half would come from wherever botocore finds one."""
    halves = [values.get(name) for name in ("S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY")]
    if bool(halves[0]) == bool(halves[1]):
        return None
    return "S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY belong together: set both, or none."


def _purge_token(values: Mapping[str, Any]) -> str | None:
    """Every purge would be refused, and seen as a dead letter hours later."""
    if bool(values.get("EDGE_PURGE_URL")) == bool(values.get("EDGE_PURGE_TOKEN")):
        return None
    return "EDGE_PURGE_URL and EDGE_PURGE_TOKEN belong together: set both, or none."


def _links_open(values: Mapping[str, Any]) -> str | None:
    """A link that is signed for a host at which nobody checks it, or that a page may not load."""
    endpoint, domain = urlsplit(values.get("S3_ENDPOINT_URL") or ""), values.get("S3_MEDIA_DOMAIN")
    if domain and (endpoint.hostname or "").endswith(".amazonaws.com"):
        return (
            "S3_MEDIA_DOMAIN cannot stand for AWS, which accepts signatures for its own hosts "
            "only: unset it. A CDN in front of the bucket signs links of its own."
        )
    if endpoint.scheme == "http" and not domain:
        return (
            "S3_ENDPOINT_URL is http://, so browsers would read files in the clear: set "
            "S3_MEDIA_DOMAIN, the host at which the same server answers by HTTPS, or use https://."
        )
    return None


def load(source: Mapping[str, str]) -> Environment:
    """Parse `source` for the environment that its DJANGO_SETTINGS_MODULE names.

    Without a usable DJANGO_SETTINGS_MODULE the demands of production apply: a process whose
    environment is unknown must not start with less. Raises `InvalidEnvironmentError`.
    """
    environment = _SETTINGS.get(source.get("DJANGO_SETTINGS_MODULE", ""), "production")
    if environment == "development":
        source = {**_dotenv(), **source}
    return read(
        Environment,
        source,
        environment=environment,
        deployed=environment in DEPLOYED,
        rules=[_one_redis, _own_ports, _whole_key, _links_open, _purge_token],
        hint=_WHERE[environment in DEPLOYED],
    )


_WHERE = {
    True: "Set them in the environment of the process (a secret also as the file NAME_FILE names). "
    "All variables: docs/reference/environment.md",
    False: "Set them in .env (`make run` writes one) or in the environment. "
    "All variables: docs/reference/environment.md",
}


def _dotenv() -> dict[str, str]:
    path = BASE_DIR / ".env"
    if not path.exists():
        return {}
    from dotenv import dotenv_values

    return {name: value for name, value in dotenv_values(path, interpolate=False).items() if value}


@cache
def _load_or_exit() -> Environment:
    try:
        return load(os.environ)
    except InvalidEnvironmentError as error:
        sys.stderr.write(f"{error}\n")
        sys.stderr.flush()
        raise SystemExit(EX_CONFIG) from None


if TYPE_CHECKING:
    env: Environment


def __getattr__(name: str) -> Environment:
    # Read on first use, so that the documents can be generated without an environment.
    if name == "env":
        return _load_or_exit()
    raise AttributeError(name)
