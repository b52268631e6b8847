"""The Django app of the commands; it has no table."""

from django.apps import AppConfig


class MigrateConfig(AppConfig):
    name = "core.migrate"
    label = "core_migrate"
    verbose_name = "Migrations"
