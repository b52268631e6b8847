"""A webhook that goes out: signed, repeated until it is taken, and never into our own network."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from celery.exceptions import Retry
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from core import outbound, webhooks
from core.outbound import calls
from core.outbox.models import Message
from core.webhooks import sending
from core.webhooks.signing import SIGNATURE, sign, verify
from tests.partner import Partner

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "whsec_" + "a" * 32  # config/settings/test.py


@pytest.fixture(autouse=True)
def _a_new_client() -> Iterator[None]:
    calls.host.cache_clear()
    _close()
    yield
    _close()


def _close() -> None:
    sending._client().close()
    sending._client.cache_clear()


@pytest.fixture
def partner() -> Iterator[Partner]:
    with Partner().running() as started:
        yield started


def test_it_is_sent_once_the_transaction_commits_and_is_signed(partner: Partner) -> None:
    with transaction.atomic():
        message_id = webhooks.send(f"{partner.url}/hook", "invoice.paid", {"id": 7})
        assert partner.seen == []
    [(headers, body)] = partner.taken
    assert verify([SECRET], {name.lower(): value for name, value in headers.items()}, body)
    assert headers["webhook-id"] == message_id
    event = json.loads(body)
    assert (event["type"], event["data"]) == ("invoice.paid", {"id": 7})


def test_a_rollback_takes_it_back(partner: Partner) -> None:
    with transaction.atomic():
        webhooks.send(f"{partner.url}/hook", "invoice.paid", {})
        transaction.set_rollback(True)
    assert partner.seen == []


@pytest.mark.parametrize("path", ["/status/500", "/status/404", "/away", "/reset"])
def test_what_is_not_taken_is_sent_again(partner: Partner, path: str) -> None:
    with pytest.raises(Retry):
        sending.deliver.apply((partner.url + path, "{}"), task_id="one", throw=True)
    assert partner.seen == [f"POST {path}"]


def test_it_is_sent_again_under_the_same_id_and_signed_anew(
    partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner.is_down = True
    now = int(time.time())
    for later in (0, 1_000):
        monkeypatch.setattr(sending.time, "time", lambda later=later: now + later)
        with pytest.raises(Retry):
            sending.deliver.apply((f"{partner.url}/hook", "{}"), task_id="one", throw=True)
    (first, _), (second, body) = partner.refused
    assert first["webhook-id"] == second["webhook-id"] == "one"
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 1_000
    assert second["webhook-signature"] == sign([SECRET], "one", body, now + 1_000)[SIGNATURE]


def test_a_receiver_that_is_gone_is_not_asked_again(partner: Partner) -> None:
    with pytest.raises(sending.GoneError):
        sending.deliver.apply((f"{partner.url}/status/410", "{}"), task_id="one", throw=True)


def test_a_url_that_leads_into_our_network_is_not_called(partner: Partner, settings: Any) -> None:
    settings.WEBHOOKS_TO_PUBLIC_ADDRESSES_ALONE = True
    with pytest.raises(Retry) as again:
        sending.deliver.apply((f"{partner.url}/hook", "{}"), task_id="one", throw=True)
    assert isinstance(again.value.exc, outbound.AddressRefusedError)
    assert partner.seen == []


def test_without_a_secret_nothing_is_queued(settings: Any) -> None:
    settings.WEBHOOK_SECRETS = []
    with pytest.raises(ImproperlyConfigured, match="WEBHOOK_SECRETS"):
        webhooks.send("https://customer.example/", "paid", {})
    assert Message.objects.count() == 0
