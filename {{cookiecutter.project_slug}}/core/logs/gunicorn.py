"""gunicorn's `logger_class`: its lines go the way of all others, and it writes no access log."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from gunicorn.glogging import Logger as GunicornLogger


class Logger(GunicornLogger):  # type: ignore[misc]
    """Hand everything to the root logger, which `core.logs.configuration.apply()` set up.

    Boots, exits, timeouts and errors of workers are lines like any other. The access line is
    `core.requests.middleware`'s, which knows the route, the user and the request id. `loglevel`,
    `errorlog`, `accesslog` and `logconfig` have no effect: LOG_LEVEL decides.
    """

    def setup(self, cfg: Any) -> None:
        # Called again on HUP with the configuration that was read anew.
        self.cfg = cfg
        self._access_log_enabled = False
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.setLevel(logging.NOTSET)
            log.propagate = True

    def access(self, resp: Any, req: Any, environ: Any, request_time: timedelta) -> None:
        """Nothing; see the class."""

    def exception(self, msg: object, *args: object, **kwargs: Any) -> None:
        """As gunicorn's, without the query string of the URI: it may hold a token."""
        super().exception(
            msg,
            *(each.partition("?")[0] if isinstance(each, str) else each for each in args),
            **kwargs,
        )
