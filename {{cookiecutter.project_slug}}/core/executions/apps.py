"""The Django app of the executions' table."""

from django.apps import AppConfig


class ExecutionsConfig(AppConfig):
    name = "core.executions"
    label = "core_executions"
    verbose_name = "Executions"
    default_auto_field = "django.db.models.BigAutoField"
