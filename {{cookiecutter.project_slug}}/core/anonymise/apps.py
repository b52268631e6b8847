"""The anonymise app: it has a command."""

from django.apps import AppConfig


class AnonymiseConfig(AppConfig):
    """Masked copies of production."""

    name = "core.anonymise"
    label = "core_anonymise"
