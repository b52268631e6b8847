"""An open page asks for its states every few seconds, which is nobody's request."""

from __future__ import annotations

import logging

LIVE_ROUTE = "home/live/"


class NotTheRefresh(logging.Filter):
    """Drops the lines of the page's own refresh, while it succeeds."""

    def filter(self, record: logging.LogRecord) -> bool:
        # structlog hands its fields on as the message.
        line = record.msg if isinstance(record.msg, dict) else {}
        return line.get("route") != LIVE_ROUTE or line.get("status") != 200
