"""The home app."""

from django.apps import AppConfig


class HomeConfig(AppConfig):
    """The first page a developer sees."""

    name = "apps.home"
    label = "home"
