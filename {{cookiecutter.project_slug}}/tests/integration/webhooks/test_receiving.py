"""A webhook that comes in: whose it is, when it was signed, and that it has one effect."""

from __future__ import annotations

import base64
import json
import threading
import time
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import override_settings
from django.urls import path

from config.urls import handler400, handler403, handler404, handler500
from core.webhooks.models import Received
from core.webhooks.receiving import WebhookView
from core.webhooks.signing import SKEW, sign
from core.webhooks.tasks import KEPT, clear_old_webhooks
from tests.testapp.jobs import Hook

__all__ = ["handler400", "handler403", "handler404", "handler500"]

NEW, OLD, FOREIGN = ("whsec_" + base64.b64encode(bytes([n]) * 24).decode() for n in (1, 2, 3))
with override_settings(INBOX_SECRETS={"partner": [NEW, OLD]}):
    urlpatterns = [path("hooks/partner/", Hook.as_view())]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]
BODY = b'{"name": "paid"}'


@pytest.fixture(autouse=True)
def _secrets(settings: Any) -> None:
    settings.INBOX_SECRETS = {"partner": [NEW, OLD]}


def post(
    body: bytes = BODY, *, secret: str = NEW, message_id: str = "msg_1", age: float = 0, **sent: Any
) -> Any:
    headers = sign([secret], message_id, body, int(time.time() - age)) | sent
    given = {name: value for name, value in headers.items() if value is not None}
    client = Client(raise_request_exception=False)
    return client.post("/hooks/partner/", body, "application/json", headers=given)


@pytest.mark.parametrize("secret", [NEW, OLD])
def test_one_that_is_signed_is_taken_and_has_its_effect(secret: str) -> None:
    assert post(secret=secret).status_code == 202
    assert Group.objects.get().name == "paid"


def test_the_same_again_is_answered_alike_and_has_no_second_effect() -> None:
    for _ in range(5):
        assert post().status_code == 202
    assert Group.objects.count() == Received.objects.count() == 1


def test_of_four_at_once_one_has_an_effect() -> None:
    answers: list[int] = []

    def run() -> None:
        answers.append(post().status_code)
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [202] * 4
    assert Group.objects.count() == 1


def test_another_id_is_another_webhook() -> None:
    post()
    post(b'{"name": "paid again"}', message_id="msg_2")
    assert Group.objects.count() == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": FOREIGN},
        {"age": SKEW + 10},
        {"age": -SKEW - 10},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "v2,AAAA v1a,é"},
        {"webhook-signature": None},
        {"webhook-timestamp": None},
        {"webhook-timestamp": "yesterday"},
        pytest.param({"webhook-timestamp": str(int(time.time()) + 1)}, id="a second later"),
        {"webhook-id": "msg_other"},
        {"webhook-id": None},
    ],
    ids=str,
)
def test_what_is_not_signed_by_the_partner_for_now_is_refused(wrong: dict[str, Any]) -> None:
    answer = post(**wrong)
    assert answer.status_code == 401
    assert answer.json()["code"] == "webhook_not_signed"
    assert Received.objects.count() == 0


def test_a_body_that_was_changed_on_the_way_is_refused() -> None:
    headers = sign([NEW], "msg_1", BODY, int(time.time()))
    client = Client(raise_request_exception=False)
    body = BODY.replace(b"paid", b"free")
    answer = client.post("/hooks/partner/", body, "application/json", headers=headers)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "body", [b"{", b'{"name": "\\u0000"}', b'{"name": "\\ud800"}', b"\xff", b'{"name": NaN}']
)
def test_a_signed_body_that_cannot_be_kept_is_the_senders_mistake(body: bytes) -> None:
    assert post(body).status_code == 400
    assert Received.objects.count() == 0


def test_a_signed_body_that_is_too_large_is_413(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    assert post(json.dumps({"name": "x" * 200}).encode()).status_code == 413


def test_a_source_without_a_secret_has_no_address(settings: Any) -> None:
    class Open(WebhookView):
        source = "stranger"

    with pytest.raises(ImproperlyConfigured, match="stranger"):
        Open.as_view()


@pytest.mark.parametrize("secret", ["", "whsec_", "!!!!", "whsec_abc", "whsec_" + "a" * 28])
def test_a_secret_by_which_anybody_could_sign_has_no_address(settings: Any, secret: str) -> None:
    settings.INBOX_SECRETS = {"partner": [NEW, secret]}
    with pytest.raises(ImproperlyConfigured, match=r"'partner'.*secret 2.*openssl rand") as told:
        Hook.as_view()
    assert not secret or secret == "whsec_" or secret not in str(told.value)


@pytest.mark.parametrize("secret", ["", "whsec_", "!!!!"])
def test_nothing_is_signed_by_an_empty_key(secret: str) -> None:
    with pytest.raises(ValueError, match=r"secret|base64|Only"):
        sign([secret], "msg_1", BODY, 0)


def test_the_example_of_the_specification_holds() -> None:
    """From the tests of its libraries, so that both sides are not wrong in the same way."""
    headers = sign(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        1_614_265_330,
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_those_of_last_month_are_deleted() -> None:
    post()
    assert clear_old_webhooks() == 0
    Received.objects.update(received_at=F("received_at") - KEPT)
    assert clear_old_webhooks() == 1
