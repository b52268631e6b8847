from django.apps import AppConfig


class WarehouseConfig(AppConfig):
    name = "tests.integration.migration_lint.warehouse"
    default_auto_field = "django.db.models.BigAutoField"
