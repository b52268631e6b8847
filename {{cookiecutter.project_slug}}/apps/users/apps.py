"""The users app."""

from django.apps import AppConfig


class UsersConfig(AppConfig):
    """People who log in."""

    name = "apps.users"
    label = "users"
