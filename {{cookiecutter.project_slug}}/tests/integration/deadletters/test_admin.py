"""What an operator sees of dead letters, and sends again."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from core.deadletters.models import DeadLetter
from scripts.servers import Valkey
from tests.broker import Queue
from tests.factories import UserFactory
from tests.testapp.tasks import say

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "admin:core_deadletters_deadletter_changelist"


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(UserFactory.create(is_staff=True, is_superuser=True))
    return client


def letter(**given: Any) -> DeadLetter:
    fields = {"kind": "failed", "message_id": "message-1", "task": say.name, "body": '[["hi"], {}]'}
    return DeadLetter.objects.create(**fields | {"reason": "ValueError: hi"} | given)


def replay(operator: Client, *letters: DeadLetter) -> list[str]:
    """What the page says after the action."""
    chosen = [each.pk for each in letters]
    data = {"action": "replay_selected", "_selected_action": chosen}
    response = operator.post(reverse(LIST), data, follow=True)
    return [str(message) for message in response.context["messages"]]


def test_a_letter_is_shown_with_its_reason_and_cannot_be_edited(operator: Client) -> None:
    shown = letter(traceback="in say")
    assert "ValueError: hi" in operator.get(reverse(LIST)).content.decode()
    page = operator.get(reverse("admin:core_deadletters_deadletter_change", args=[shown.pk]))
    assert "in say" in page.content.decode()
    assert '<input type="text"' not in page.content.decode()
    assert operator.get(reverse("admin:core_deadletters_deadletter_add")).status_code == 403


def test_a_replay_publishes_the_message_under_its_old_id(operator: Client, queue: Queue) -> None:
    replayed = letter()
    assert replay(operator, replayed) == ["1 sent again."]
    [message] = queue.messages
    assert (message["id"], message["task"], message["args"]) == ("message-1", say.name, ["hi"])
    replayed.refresh_from_db()
    assert replayed.replayed_at is not None


def test_what_cannot_be_sent_is_named_and_the_rest_is_sent(operator: Client, queue: Queue) -> None:
    garbage = letter(kind="garbage", task="", message_id="")
    broken = letter(body="{not json")
    said = replay(operator, garbage, broken, letter())
    assert said[-1] == "1 sent again."
    assert any("no message of ours" in words for words in said)
    assert any("cannot be read" in words for words in said)
    assert len(queue.messages) == 1
    garbage.refresh_from_db()
    assert garbage.replayed_at is None


def test_while_the_broker_is_away_the_letter_stays(
    operator: Client, published: None, broker_server: Valkey
) -> None:
    kept = letter()
    broker_server.kill()
    [said] = replay(operator, kept)
    assert "sent again" not in said
    kept.refresh_from_db()
    assert kept.replayed_at is None
