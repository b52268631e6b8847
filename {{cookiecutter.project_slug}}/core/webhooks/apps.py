"""The Django app of the inbox."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "core.webhooks"
    label = "core_webhooks"
    verbose_name = "Webhooks"
    default_auto_field = "django.db.models.BigAutoField"
