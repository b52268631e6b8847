"""Logs: one JSON object a line on stdout; readable and coloured in development.

Decides: format and level. Reads LOG_LEVEL, SERVICE_NAME, RELEASE. Without it a traceback is forty
unrelated lines. To lift it out: take `core/logs/`.
"""

from config.env import env
from core.logs.configuration import logging_config

LOGGING_CONFIG = "core.logs.configuration.apply"
LOGGING = logging_config(
    level=env.LOG_LEVEL,
    service=env.SERVICE_NAME,
    release=env.RELEASE,
    readable=env.DJANGO_SETTINGS_MODULE == "config.settings.development",
)
