"""The Django app that makes every process know the Celery application."""

from django.apps import AppConfig
from django.conf import settings
from django.utils.module_loading import import_string


class TasksConfig(AppConfig):
    name = "core.tasks"
    label = "core_tasks"
    verbose_name = "Tasks"

    def ready(self) -> None:
        """Load it, and connect its log lines.

        Without it `@shared_task` in a web process belongs to Celery's default application, which
        looks for RabbitMQ on localhost.
        """
        from core.tasks import logs, worker  # noqa: F401 - their receivers; needs the settings

        import_string(settings.TASKS_APP)
