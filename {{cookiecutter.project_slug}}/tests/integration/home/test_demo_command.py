from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from apps.users.models import User

pytestmark = pytest.mark.django_db


def demo() -> tuple[str, str]:
    """Run the command and return the login that it prints."""
    out = StringIO()
    call_command("demo", stdout=out)
    found = re.search(r"Demo login: (\S+) with the password (\S+)", out.getvalue())
    assert found
    return found[1], found[2]


def test_it_creates_no_public_password_unless_debugging() -> None:
    with pytest.raises(CommandError, match="DEBUG"):
        call_command("demo")
    assert not User.objects.exists()


def test_every_run_prints_a_login_that_works_for_api_and_admin(
    client: Client, settings: Any
) -> None:
    settings.DEBUG = True
    for _ in range(2):
        email, password = demo()
        User.objects.get()
        login = {"email": email, "password": password}
        assert client.post("/api/v1/session/", login, "application/json").status_code == 200
        assert client.get("/admin/").status_code == 200


def test_a_demo_login_that_was_broken_is_put_right(settings: Any) -> None:
    settings.DEBUG = True
    email, password = demo()
    user = User.objects.get()
    user.set_unusable_password()
    user.is_active = user.is_staff = False
    user.save()
    demo()
    user.refresh_from_db()
    assert (user.email, user.is_active, user.is_staff) == (email, True, True)
    assert user.check_password(password)


def test_a_second_run_ends_no_session_of_the_demo_user(client: Client, settings: Any) -> None:
    settings.DEBUG = True
    demo()
    client.force_login(User.objects.get())
    demo()
    assert client.get("/api/v1/session/").json()["user"]
