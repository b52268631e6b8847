"""The base of every model of ours."""

from __future__ import annotations

from django.db import models

from core.db.managers import PeersManager


class Model(models.Model):
    """A model whose rows load relations together, however they were reached.

    A manager of a model's own is called `objects` and extends `PeersManager`; tests/unit/db/ says
    which does not. Weighed: the manager in each model, which the next one forgets, and which leaves
    Django's own reads (`_base_manager`) one row at a time.
    """

    objects = PeersManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"
