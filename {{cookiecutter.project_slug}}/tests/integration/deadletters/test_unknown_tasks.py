"""A message whose task this release does not know arrives again, and again."""

from __future__ import annotations

import pytest
from django.db.models.functions import Now

from core.deadletters.models import DeadLetter
from core.deadletters.recording import record

pytestmark = pytest.mark.django_db
UNKNOWN = DeadLetter.Kind.UNKNOWN


def test_it_has_one_letter_however_often_it_arrives() -> None:
    for _ in range(3):
        assert record(UNKNOWN, message_id="one", task="gone", reason="unknown")
    assert record(UNKNOWN, message_id="two", task="gone", reason="unknown")
    assert sorted(DeadLetter.objects.values_list("message_id", flat=True)) == ["one", "two"]


def test_after_a_replay_that_came_too_early_it_has_another() -> None:
    record(UNKNOWN, message_id="one", task="gone", reason="unknown")
    DeadLetter.objects.update(replayed_at=Now())
    record(UNKNOWN, message_id="one", task="gone", reason="unknown")
    assert DeadLetter.objects.count() == 2


def test_messages_without_an_id_are_kept_each() -> None:
    for _ in range(2):
        record(UNKNOWN, message_id="", task="gone", reason="unknown")
    assert DeadLetter.objects.count() == 2
