"""Copies at the edge (deploy/varnish) that go when what they show has changed.

    class Article(APIView):
        cache_policy = Public(max_age=0, edge_age=3600)

        def get(self, request, pk):
            return edge.tagged(Response(...), f"article:{pk}")

    edge.purge_on_change(Article, lambda article: ["/articles/", f"article:{article.pk}"])

`purge_on_change` belongs into the `ready()` of an app; `purge("/articles/")` is for a change
without a signal (`update()`, `bulk_create()`, SQL). Either writes a message of the outbox in the
caller's transaction: a purge is neither lost nor premature. What begins with a slash is an address
with its query: one copy. Anything else is a tag: every page that names it. A page that was being
made while its rows changed may be kept after the purge, until its age; `edge_age` bounds that.

Weighed: a receiver that purges by itself, before the commit or with the process that dies after it;
django-cacheops, which empties Django's cache and knows no edge. To lift it out: this folder,
`core/outbox/`, `core/outbound/`, its settings component.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.db.models import Model
from django.db.models.signals import post_delete, post_save
from django.http.response import HttpResponseBase

from core import outbox

HEADER = "Edge-Tags"
# Neither a regular expression's characters nor the commas between tags; as default.vcl has it.
TAG = re.compile(r"[a-z0-9:_-]+")


def tagged[R: HttpResponseBase](response: R, *tags: str) -> R:
    """`response`, which goes with each of `tags`. The edge keeps their header to itself.

    Raises `ValueError` for a tag that is none.
    """
    response.headers[HEADER] = f",{','.join(map(_tag, tags))},"
    return response


def purge(*what: str) -> None:
    """Have every edge forget addresses and tags, once the transaction commits.

    Nothing without EDGE_PURGE_URL. Raises `ValueError` for a tag that is none.
    """
    from core.edge.tasks import purge_edge  # models, which need a Django that is set up

    wanted = [each if each.startswith("/") else _tag(each) for each in dict.fromkeys(what)]
    for edge in settings.EDGE_PURGE_URL if wanted else ():
        # A message for each, so that one which is away holds up no other.
        outbox.send(purge_edge, edge, wanted)


def purge_on_change(model: type[Model], what: Callable[[Any], Iterable[str]]) -> None:
    """Purge `what` of a row, as `purge`, whenever one of `model` is saved or deleted."""

    def changed(*, instance: Any, raw: bool = False, **_: Any) -> None:
        if not raw:  # a fixture's rows, whose relations may not be there yet
            purge(*what(instance))

    for signal in (post_save, post_delete):
        signal.connect(changed, sender=model, weak=False)


def _tag(tag: str) -> str:
    if not TAG.fullmatch(tag):
        raise ValueError(f"{tag!r} is no tag: a to z in lower case, digits, and : _ -.")
    return tag
