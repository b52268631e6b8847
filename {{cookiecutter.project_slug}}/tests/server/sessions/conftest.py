"""Users of the servers' own database."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

Manage = Callable[..., CompletedProcess[str]]


@pytest.fixture
def email(manage: Manage) -> str:
    """The address of a new user whose password is `PASSWORD`."""
    from tests.factories import PASSWORD  # models, which need a Django that is set up

    address = f"{secrets.token_hex(4)}@example.org"
    run_in_shell(
        manage,
        "from apps.users.models import User; "
        f"User.objects.create_user({address!r}, {PASSWORD!r})",
    )
    return address


def run_in_shell(manage: Manage, statements: str) -> None:
    done = manage("shell", "-c", statements)
    assert done.returncode == 0, done.stderr
