"""Managers whose rows load relations together."""

from __future__ import annotations

from typing import TypeVar

from django.db import models

ModelT = TypeVar("ModelT", bound=models.Model)


class PeersManager(models.Manager[ModelT]):
    """A forgotten `select_related` costs one query for the page instead of one for each row.

    The first access to a foreign key fetches it for all rows of the same query (`FETCH_PEERS`).
    Reverse relations are not covered: those still want `prefetch_related`.
    """

    def get_queryset(self) -> models.QuerySet[ModelT]:
        return super().get_queryset().fetch_mode(models.FETCH_PEERS)
