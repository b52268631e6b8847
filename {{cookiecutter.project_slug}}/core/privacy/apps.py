"""The privacy app: it has a check."""

from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    """What each column says of a person."""

    name = "core.privacy"
    label = "core_privacy"

    def ready(self) -> None:
        """Register the check."""
        import core.privacy.checks  # noqa: F401
