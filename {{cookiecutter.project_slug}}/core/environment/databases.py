"""`postgresql://…` as the parts that Django's DATABASES wants.

Weighed: dj-database-url accepts an unknown scheme's options as strings ("false" is true), takes
`options=` and leaves an unreadable port to the driver.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from core.environment.parsers import split_url

# What libpq needs to find and trust a server. Timeouts are not among them: they live on the roles,
# where a pooler cannot drop them (deploy/postgres/roles.sql).
_OPTIONS = ("sslmode", "sslrootcert", "sslcert", "sslkey", "sslnegotiation", "target_session_attrs")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseUrl:
    """Where a PostgreSQL database is and how to log in; `repr` does not show the password."""

    host: str
    port: int
    name: str
    user: str
    password: str = field(repr=False)
    options: dict[str, str]


def database_url(value: str) -> DatabaseUrl:
    """Parse a PostgreSQL URL. Raises `ValueError` without quoting it."""
    parts = split_url(value)
    if parts.scheme not in ("postgresql", "postgres"):
        raise ValueError("does not start with postgresql://.")
    if not parts.hostname:
        raise ValueError("names no host.")
    if "," in parts.netloc.rpartition("@")[2]:
        raise ValueError("names several hosts; give the one name that follows the primary.")
    name = unquote(parts.path.removeprefix("/"))
    if not name or "/" in name:
        raise ValueError("names no database after the host, such as /service.")
    if not parts.username:
        raise ValueError("names no user before the host.")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if "options" in options:
        raise ValueError(
            "has an `options` parameter, which PgBouncer refuses or drops; "
            "set timeouts on the role instead (deploy/postgres/roles.sql)."
        )
    if unknown := sorted(set(options) - set(_OPTIONS)):
        raise ValueError(
            f"has {len(unknown)} unknown parameter(s); known ones are {', '.join(_OPTIONS)}."
        )
    return DatabaseUrl(
        host=parts.hostname,
        port=parts.port or 5432,
        name=name,
        user=unquote(parts.username),
        password=unquote(parts.password or ""),
        options=options,
    )


database_url.kind = "URL: postgresql://user:password@host:port/database"  # type: ignore[attr-defined]
