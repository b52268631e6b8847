"""The storage app: it has a command."""

from django.apps import AppConfig


class StorageConfig(AppConfig):
    """Uploaded files."""

    name = "core.storage"
    label = "core_storage"
