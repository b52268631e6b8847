"""Build the logging configuration and apply it, with Django or before it."""

from __future__ import annotations

import logging
import logging.config
import sys
from typing import Any

import structlog

from core.logs.fields import add_extra
from core.logs.hooks import install_hooks
from core.logs.rendering import JsonRenderer, LineFormatter, ReadableRenderer
from core.logs.role import role_of

# One list for the life of the process: structlog's cached loggers and `capture_logs` share it.
_PROCESSORS: list[Any] = [
    structlog.stdlib.filter_by_level,
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.StackInfoRenderer(),
    structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
]

_TO_ROOT: dict[str, Any] = {"handlers": [], "level": "NOTSET", "propagate": True}

# Loggers that bring handlers of their own, or say what another line says better.
_LOGGERS: dict[str, Any] = {
    # They attach handlers of their own, also below these names; Django even mails to ADMINS.
    **dict.fromkeys(("django", "gunicorn.error", "gunicorn.access", "uvicorn"), _TO_ROOT),
    # The access line tells every 4xx and 5xx; what it lacks is the traceback.
    "django.request": _TO_ROOT | {"filters": ["with_traceback"]},
    # Scanners send foreign Host headers all day; an ERROR for each would ring an alarm at will.
    "django.security.DisallowedHost": _TO_ROOT | {"level": "CRITICAL"},
    # The access line of core/requests has the route, the user and the request id as well.
    "uvicorn.access": _TO_ROOT | {"level": "WARNING"},
    # The whole URL of each call, with the secrets that some have in it.
    "httpx2": _TO_ROOT | {"level": "WARNING"},
    # "Task received" comes before the request id of the task is bound.
    "celery.worker.strategy": _TO_ROOT | {"level": "WARNING"},
}


class WithTraceback(logging.Filter):
    """Lets a record pass that carries an ERROR's traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        return bool(record.exc_info) and record.levelno >= logging.ERROR


def logging_config(
    *, level: str, service: str, release: str, readable: bool, role: str = ""
) -> dict[str, Any]:
    """A dictConfig: everything to one handler on stdout.

    `level` is the least severe that is written, by every logger that has no level of its own:
    `logging_config(...)["loggers"]["name"] = {"level": "DEBUG"}` gives it one. `role` names the
    process in each line; empty, the command line tells it.
    """
    identity = {"service": service, "role": role or role_of(sys.argv), "release": release}
    return {
        "version": 1,
        # True would silence every logger that was made before, gunicorn's and celery's included.
        "disable_existing_loggers": False,
        "filters": {"with_traceback": {"()": WithTraceback}},
        "formatters": {
            "line": {
                "()": LineFormatter,
                "foreign_pre_chain": [structlog.contextvars.merge_contextvars, add_extra],
                "processors": [ReadableRenderer() if readable else JsonRenderer(**identity)],
            },
        },
        "handlers": {
            "stdout": {"class": "core.logs.output.StdoutHandler", "formatter": "line"},
        },
        "root": {"handlers": ["stdout"], "level": level},
        "loggers": dict(_LOGGERS),
    }


def apply(config: dict[str, Any]) -> None:
    """Apply `logging_config()`. Django calls it as LOGGING_CONFIG; gunicorn's master and celery,
    whose first lines come before Django's, call it themselves. May be called again.

    Safe before a fork: no file or thread is opened, and the standard library renews the handler's
    lock in the child.
    """
    logging.config.dictConfig(config)
    structlog.configure(
        processors=_PROCESSORS,
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    install_hooks()
