"""Loaded into a worker by `--include`: it gives its tasks 2 s to finish when it stops."""

from django.conf import settings

settings.TASKS_SHUTDOWN_SECONDS = 2
