"""What a change writes into the outbox. That it then is forgotten: tests/server/varnish."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.http import HttpResponse
from pytest_django import Settings

from core import edge
from core.caching.policy import Public
from core.outbox.models import Message

EDGES = ["http://edge-1:6081", "http://edge-2:6081"]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def edges(settings: Settings) -> Iterator[None]:
    settings.EDGE_PURGE_URL = EDGES
    before = list(post_save.receivers), list(post_delete.receivers)
    edge.purge_on_change(Group, lambda group: [f"/groups/{group.pk}/", f"group:{group.pk}"])
    yield
    for signal, receivers in zip((post_save, post_delete), before, strict=True):
        signal.receivers = receivers
        signal.sender_receivers_cache.clear()


def purges() -> list[list[object]]:
    """The arguments of each purge that waits, which then waits no more."""
    found = [json.loads(message.body)[0] for message in Message.objects.order_by("pk")]
    Message.objects.all().delete()
    return found


def test_each_edge_is_told_of_a_row_that_is_made_changed_or_deleted() -> None:
    group = Group.objects.create(name="one")
    what = [f"/groups/{group.pk}/", f"group:{group.pk}"]
    told = [[url, what] for url in EDGES]
    assert purges() == told
    group.save()
    assert purges() == told
    group.delete()
    assert purges() == told


def test_a_rollback_tells_nobody() -> None:
    with transaction.atomic():
        Group.objects.create(name="one")
        transaction.set_rollback(True)
    assert purges() == []


def test_without_an_edge_nothing_is_written(settings: Settings) -> None:
    settings.EDGE_PURGE_URL = []
    Group.objects.create(name="one")
    edge.purge("/")
    assert purges() == []


def test_an_address_that_was_named_twice_is_purged_once() -> None:
    edge.purge("/a/", "a", "/a/")
    assert purges()[0] == [EDGES[0], ["/a/", "a"]]


@pytest.mark.parametrize("tag", ["", "A", ".*", "a,b", "a b"])
def test_a_tag_that_would_mean_something_else_is_refused(tag: str) -> None:
    with pytest.raises(ValueError, match="is no tag"):
        edge.purge(tag)
    with pytest.raises(ValueError, match="is no tag"):
        edge.tagged(HttpResponse(), tag)


def test_the_header_names_each_tag_between_commas() -> None:
    assert edge.tagged(HttpResponse(), "group:1", "groups").headers["Edge-Tags"] == (
        ",group:1,groups,"
    )


def test_an_edge_keeps_longer_than_a_browser() -> None:
    assert str(Public(max_age=5, edge_age=600)) == "public, max-age=5, s-maxage=600"
