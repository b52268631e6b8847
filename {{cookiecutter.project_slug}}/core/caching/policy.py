"""What a view says of its own answers; one that says nothing is kept by nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Public:
    """Everybody gets the same answer, so any cache may keep it.

    `max_age`: seconds for which nobody asks again. `stale_while_revalidate`: seconds after those
    in which a cache answers with its copy while it asks (RFC 5861). `edge_age`: seconds at a shared
    cache instead of `max_age` (s-maxage): longer, where it is purged (`core.edge`). As
    `cache_policy` of a class, or as the decorator of a function:

        class ArticleList(generics.ListAPIView[Article]):
            cache_policy = Public(max_age=60, stale_while_revalidate=600)

        @Public(max_age=3600)
        def robots(request): ...

    Holds for GET and HEAD answered with 200, 301, 304 or 308, and never when a session or a
    credential was there or a cookie is set: see `core.caching.middleware`. Weighed: Django's
    `cache_control`, which promises "public" whatever the view went on to do.
    """

    max_age: int
    stale_while_revalidate: int = 0
    edge_age: int | None = None

    def __str__(self) -> str:
        text = f"public, max-age={self.max_age}"
        if self.edge_age is not None:
            text += f", s-maxage={self.edge_age}"
        if self.stale_while_revalidate:
            text += f", stale-while-revalidate={self.stale_while_revalidate}"
        return text

    def __call__[View: Callable[..., Any]](self, view: View) -> View:
        view.cache_policy = self  # type: ignore[attr-defined]
        return view


def policy_of(view: Callable[..., Any]) -> Public | None:
    """The policy of a function, or of the class behind `as_view()`."""
    declared = getattr(view, "cache_policy", None)
    return declared or getattr(getattr(view, "view_class", None), "cache_policy", None)
