"""A call to somebody else is not made while a transaction holds its locks."""

from __future__ import annotations

import logging

import pytest
from django.conf import settings
from django.db import transaction

from core import outbound
from tests.partner import Partner


@pytest.mark.django_db(transaction=True)
def test_in_tests_it_raises_and_nothing_is_sent(partner: Partner) -> None:
    with outbound.client(base_url=partner.url) as client:
        with transaction.atomic(), pytest.raises(outbound.InTransactionError, match="outbox"):
            client.get("/ok")
        assert partner.seen == []
        assert client.get("/ok").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_in_production_it_is_made_and_the_log_says_where(
    partner: Partner, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(settings, "OUTBOUND_STRICT", False)
    with outbound.client(base_url=partner.url) as client, transaction.atomic():
        assert client.get("/ok").status_code == 200
    [record] = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert "called inside of a transaction" in record.getMessage()


@pytest.mark.django_db
def test_the_transaction_around_a_test_does_not_count(partner: Partner) -> None:
    with outbound.client(base_url=partner.url) as client:
        assert client.get("/ok").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_after_the_commit_is_a_good_moment(partner: Partner) -> None:
    with outbound.client(base_url=partner.url) as client:
        with transaction.atomic():
            transaction.on_commit(lambda: client.get("/ok"))
        assert partner.seen == ["GET /ok"]
