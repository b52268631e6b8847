from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client

from apps.users.models import User
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


def log_in(client: Client, email: str) -> int:
    sent = {"username": email, "password": PASSWORD, "next": "/admin/"}
    return client.post("/admin/login/", sent).status_code


def test_staff_enters_the_admin_by_e_mail_and_sees_whose_it_is(client: Client) -> None:
    user = UserFactory.create(is_staff=True, is_superuser=True)
    assert log_in(client, user.email.upper()) == 302
    page = client.get("/admin/").content.decode()
    assert settings.PROJECT_NAME in page


def test_a_user_who_is_not_staff_does_not_enter(client: Client) -> None:
    user = UserFactory.create()
    assert log_in(client, user.email) == 200
    assert client.get("/admin/").status_code == 302


def test_the_admin_creates_a_user_in_lower_case_who_can_log_in(client: Client) -> None:
    staff = UserFactory.create(is_staff=True, is_superuser=True)
    client.force_login(staff)
    sent = {
        "email": "Grace@Example.org",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }
    response = client.post("/admin/users/user/add/", sent)
    assert response.status_code == 302, response.content
    user = User.objects.get(email="grace@example.org")
    assert user.check_password(PASSWORD)


@pytest.mark.parametrize("path", ["", "add/", "%d/change/"])
def test_every_page_of_users_opens(client: Client, path: str) -> None:
    staff = UserFactory.create(is_staff=True, is_superuser=True)
    client.force_login(staff)
    path = path % staff.pk if "%" in path else path
    assert client.get(f"/admin/users/user/{path}").status_code == 200
