"""The ASGI process with one more path, which blocks the event loop as a careless view does.

    python -m tests.testapp.blocked_loop

`/block?<seconds>` holds it. The times of judgement are shortened, so that a test need not wait.
"""

import time
from typing import Any

from core.probes import monitor
from core.server import streaming

streaming.BLOCKED_AFTER = 1.0
monitor.GRACE = 1.0

from config import asgi  # noqa: E402 - after the times were changed

_service = asgi.application


async def _application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http" and scope["path"] == "/block":
        time.sleep(float(scope["query_string"]))  # noqa: ASYNC251 - the fault
        scope["path"] = "/livez"
    await _service(scope, receive, send)


if __name__ == "__main__":
    asgi.application = _application  # type: ignore[assignment]
    asgi.serve()
