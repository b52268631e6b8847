"""The login of a development database; `manage.py demo` makes it, the page at `/` shows it."""

EMAIL = "demo@example.org"
# Fixed, so that every run prints a login that works; the command refuses to run where it matters.
PASSWORD = "demo-password"  # noqa: S105
