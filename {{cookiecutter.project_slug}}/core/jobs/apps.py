"""The Django app of the jobs' table."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "core.jobs"
    label = "core_jobs"
    verbose_name = "Jobs"
    default_auto_field = "django.db.models.BigAutoField"
