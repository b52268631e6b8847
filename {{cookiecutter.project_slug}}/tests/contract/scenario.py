"""Who calls the service in the contract tests, and which of their requests succeed.

A fuzzer that knows no account, no key of a mail and no id meets 400, 403 and 404 and nothing
behind them. Each caller therefore has rows of their own and, by operation id, requests that
succeed. An app adds its part by `add(scenario)` in `tests/contract/<app>/scenario.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from importlib import import_module
from itertools import cycle
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.test import Client

from apps.api_keys.models import ApiKey
from apps.users.models import User

PASSWORD = "correct horse battery staple"
# More than the calls of one operation that an example or a shrunk failure repeats.
SPARE_SESSIONS = 20


class Scenario:
    """The rows of one caller, committed, and what is sent with them.

    A "stranger" has rows to ask for and no credential, "user" and "staff" have a session, "key" has
    an API key. Staff get the permissions that their examples need from the apps.
    """

    def __init__(self, caller: str) -> None:
        self.caller = caller
        # Arguments of schemathesis' Case, by operation id: path_parameters, query, body.
        self.examples: dict[str, list[dict[str, Any]]] = defaultdict(list)
        # Codes of problems that valid data may meet, by operation id. A cursor is opaque: which one
        # is right is not for a document.
        self.refusals: dict[str, set[str]] = defaultdict(lambda: {"invalid_cursor"})
        # Operations that end the session they are called with: each call has another one.
        self.ending: set[str] = set()

        # Operations that show what was deleted, on purpose.
        self.lasting: set[str] = set()

        self._users = 0
        self._password = make_password(PASSWORD)  # once: Argon2 is slow on purpose
        self.user = self.new_user(is_staff=caller == "staff")
        self.session = self.key = ""
        spare = []
        if caller in ("user", "staff"):
            self.session = session_of(self.user)
            spare = [session_of(self.new_user()) for _ in range(SPARE_SESSIONS)]
        elif caller == "key":
            self.key = ApiKey.issue(user=self.user, name="fuzz", expires_at=None)[1].text
        # In turn, and again when all have ended: a session that has is a stranger's.
        self.spare_sessions: Iterator[str] = cycle(spare or [""])
        for part in sorted(Path(__file__).parent.glob("*/scenario.py")):
            import_module(f"{__package__}.{part.parent.name}.scenario").add(self)

    def new_user(self, **fields: Any) -> User:
        """Somebody with `PASSWORD`."""
        self._users += 1
        email = f"{self.caller}-{self._users}@example.org"
        return User.objects.create(email=email, name="Ada", password=self._password, **fields)

    def example(self, operation: str, **arguments: Any) -> None:
        """A request of `operation` (its id) that succeeds for whoever may make it."""
        self.examples[operation].append(arguments)

    def may_refuse(self, operation: str, *codes: str) -> None:
        """Say which problems meet data that the document allows, as no schema can say more.

        Any other refusal of valid data is a failure: document or service is wrong.
        """
        self.refusals[operation] |= set(codes)


def session_of(user: User) -> str:
    """The key of a new session."""
    client = Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client.cookies[settings.SESSION_COOKIE_NAME].value
