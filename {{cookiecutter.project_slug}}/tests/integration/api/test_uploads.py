"""Files that are too long, cut off or not files at all."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.testapp.uploads")]
URL = "/api/test/upload/"
FORM = "multipart/form-data; boundary=X"


def part(content: bytes, name: str = "file") -> bytes:
    head = f'--X\r\nContent-Disposition: form-data; name="{name}"; filename="a"\r\n\r\n'
    return head.encode() + content + b"\r\n--X--\r\n"


@pytest.fixture(params=[False, True], ids=["visitor", "user with a session"])
def sender(request: pytest.FixtureRequest) -> Client:
    """With a session Django reads the form before DRF does, to look for its CSRF token."""
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    if request.param:
        client.force_login(UserFactory.create())
        client.cookies["csrftoken"] = "x" * 32
        client.defaults["HTTP_X_CSRFTOKEN"] = "x" * 32
    return client


def test_a_file_within_the_limit_is_taken(sender: Client) -> None:
    response = sender.post(URL, part(b"x" * 1024**2), FORM)
    assert (response.status_code, response.json()) == (200, {"size": 1024**2})


class Unread:
    """A body that must not be asked for."""

    def read(self, *_: Any) -> bytes:
        raise AssertionError("the body was read")

    readline = read


def test_a_form_that_is_too_long_is_refused_before_it_is_read(sender: Client) -> None:
    sender.defaults |= {"wsgi.input": Unread(), "CONTENT_LENGTH": str(60 * 1024**2)}
    response = sender.generic("POST", URL, b"", FORM)
    assert (response.status_code, response.json()["code"]) == (413, "too_large")
    assert "1 MB" in response.json()["detail"]


def test_a_file_that_is_too_long_in_a_form_that_is_not_is_refused(sender: Client) -> None:
    response = sender.post(URL, part(b"x" * (1024**2 + 1)), FORM)
    assert (response.status_code, response.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (part(b"x", name="other"), FORM, 400),
        (b"", FORM, 400),
        (part(b"x")[:-20], FORM, 400),
        (b"nonsense", FORM, 400),
        (part(b"x"), "multipart/form-data", 400),
        (part(b"x"), "multipart/form-data; boundary=\xe9", 400),
        (b'--X\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--X--\r\n', FORM, 400),
        (part(b"x") * 1, "application/json", 415),
        (b"x", "image/png", 415),
        (b"".join(part(b"x")[:-4] + b"\r\n" for _ in range(101)) + b"--X--\r\n", FORM, 400),
    ],
    ids=range(10),
)
def test_what_holds_no_file_is_refused_with_a_problem(
    sender: Client, body: bytes, content_type: str, status: int
) -> None:
    response = sender.generic("POST", URL, body, content_type)
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"


def test_a_name_of_any_kind_is_no_path(sender: Client) -> None:
    for name, status in (("../../x.png", 200), ("x" * 300, 200), ("", 400), ("..", 400)):
        body = part(b"x").replace(b'filename="a"', f'filename="{name}"'.encode())
        assert sender.generic("POST", URL, body, FORM).status_code == status
