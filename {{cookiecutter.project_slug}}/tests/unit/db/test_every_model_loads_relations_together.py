"""Nobody has to remember it: a model of ours that loads relations row by row is named here."""

from __future__ import annotations

from collections.abc import Iterable

from django.apps import apps
from django.db import models
from django.test.utils import isolate_apps

from core.db.managers import PeersManager
from core.db.models import Model


def row_by_row(ours: Iterable[type[models.Model]]) -> list[str]:
    """Each manager that loads one relation at a time: what code asks, and what Django asks."""
    return [
        f"{model._meta.label}.{name}: let the model extend core.db.models.Model, and a manager of "
        "its own, called objects, core.db.managers.PeersManager"
        for model in ours
        for name in ("_default_manager", "_base_manager")
        if getattr(model, name).all()._fetch_mode is not models.FETCH_PEERS
    ]


def test_every_model_of_core_and_apps_loads_relations_together() -> None:
    ours = [model for model in apps.get_models() if model.__module__.startswith(("core.", "apps."))]
    assert len(ours) > 3
    assert row_by_row(ours) == []


@isolate_apps("core.beat")
def test_a_model_that_does_not_is_named_whichever_of_its_managers_forgot_it() -> None:
    class Plain(models.Model):  # noqa: DJ008 - as below, nobody reads it
        class Meta:
            app_label = "core_beat"

    class Half(Plain):  # noqa: DJ008
        objects = PeersManager()

        class Meta:
            app_label = "core_beat"

    class Own(Model):
        objects = models.Manager()

        class Meta:
            app_label = "core_beat"

    class Whole(Model):
        class Meta:
            app_label = "core_beat"

    named = [line.partition(":")[0] for line in row_by_row([Plain, Half, Own, Whole])]
    assert named == [
        "core_beat.Plain._default_manager",
        "core_beat.Plain._base_manager",
        "core_beat.Half._base_manager",
        "core_beat.Own._default_manager",
        "core_beat.Own._base_manager",
    ]
