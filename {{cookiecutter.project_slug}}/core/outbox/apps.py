"""The Django app of the outbox's table."""

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "core.outbox"
    label = "core_outbox"
    verbose_name = "Outbox"
    default_auto_field = "django.db.models.BigAutoField"
