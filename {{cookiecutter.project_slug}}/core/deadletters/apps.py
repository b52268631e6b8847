"""The Django app of the dead letters' table."""

from django.apps import AppConfig


class DeadLettersConfig(AppConfig):
    name = "core.deadletters"
    label = "core_deadletters"
    verbose_name = "Dead letters"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect the receiver of tasks that failed for good, and read queues with care."""
        from core.deadletters import recording, transport  # noqa: F401

        transport.install()
