"""The Django app of beat's two tables."""

from django.apps import AppConfig


class BeatConfig(AppConfig):
    name = "core.beat"
    label = "core_beat"
    verbose_name = "Beat"
    default_auto_field = "django.db.models.BigAutoField"
