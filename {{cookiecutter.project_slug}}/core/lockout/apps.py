"""The Django app of the counters."""

from django.apps import AppConfig


class LockoutConfig(AppConfig):
    name = "core.lockout"
    label = "core_lockout"
    verbose_name = "Lockout"
    default_auto_field = "django.db.models.BigAutoField"
