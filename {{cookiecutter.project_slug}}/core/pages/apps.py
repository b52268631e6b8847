"""An app for its command; it has no models."""

from django.apps import AppConfig


class PagesConfig(AppConfig):
    """Errors for people, robots.txt, security.txt and the favicon."""

    name = "core.pages"
    label = "core_pages"
