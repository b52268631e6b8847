"""The API keys app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApiKeysConfig(AppConfig):
    """Keys for programs."""

    name = "apps.api_keys"
    label = "api_keys"
    verbose_name = _("API keys")

    def ready(self) -> None:
        """Tell drf-spectacular of the security scheme."""
        from apps.api_keys import schema  # noqa: F401
