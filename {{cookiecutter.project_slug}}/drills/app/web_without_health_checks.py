"""`drills.app.web` with connections that are kept and never tried before use."""

from config.settings.components.database import DATABASES

DATABASES["default"]["CONN_HEALTH_CHECKS"] = False

from drills.app.web import application  # noqa: E402 - after the setting was changed

__all__ = ["application"]
