"""The Django app of the answers' table."""

from django.apps import AppConfig


class IdempotencyConfig(AppConfig):
    name = "core.idempotency"
    label = "core_idempotency"
    verbose_name = "Idempotency"
    default_auto_field = "django.db.models.BigAutoField"
